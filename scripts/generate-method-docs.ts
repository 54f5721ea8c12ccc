import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalogue } from '../core/methods/catalogue.ts';
import { docsWithGenerated, methodMarkdown } from './method-docs.ts';

/** Writes docs/methods/<id>.md from the catalogue; `--check` only says whether they are up to date. */
const folder = new URL('../docs/methods/', import.meta.url);
const isCheck = process.argv.includes('--check');
const stale: string[] = [];

for (const spec of catalogue) {
  const path = new URL(`${spec.id}.md`, folder);
  const before = readIfThere(path);
  const after = docsWithGenerated(before, methodMarkdown(spec), spec.title);
  if (before === after) continue;
  stale.push(fileURLToPath(path));
  if (isCheck) continue;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, after);
}

for (const path of stale) console.log(`${isCheck ? 'not up to date' : 'written'}: ${path}`);
if (isCheck && stale.length > 0) {
  console.error('hint: npm run generate');
  process.exitCode = 1;
}

function readIfThere(path: URL): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A new method has no page yet.
    return '';
  }
}
