import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Writes a generated document of the project; with --check it only compares and exits with 1 when another is kept. */
export function keepDocument(path: string, text: string): void {
  const file = join(root, path);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
    return;
  }
  let kept = '';
  try {
    kept = readFileSync(file, 'utf8');
  } catch {
    // A missing file is out of date like any other.
  }
  if (kept === text) return;
  console.error(`${path} is out of date`);
  console.error('hint: npm run generate');
  process.exitCode = 1;
}
