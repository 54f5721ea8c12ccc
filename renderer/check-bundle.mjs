// Fails when what the window loads is larger than its budget: node renderer/check-bundle.mjs, after the build.
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';

const budgetBytes = 600_000;
const folder = new URL('../out/renderer/', import.meta.url);
const counted = new Set(['.js', '.css', '.html', '.woff2']);

const sizes = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => counted.has(extname(name)))
  .map((name) => ({ name, bytes: packedSize(new URL(name, folder)) }))
  .toSorted((a, b) => b.bytes - a.bytes);
const codeBytes = total(sizes.filter(({ name }) => extname(name) !== '.woff2'));

for (const { name, bytes } of sizes) console.log(`${String(bytes).padStart(8)} B  ${name}`);
console.log(`${String(total(sizes)).padStart(8)} B  with fonts`);
console.log(`${String(codeBytes).padStart(8)} B  gzipped code, at most ${budgetBytes}`);
process.exitCode = sizes.length > 0 && codeBytes <= budgetBytes ? 0 : 1;

/** @param {URL} file */
function packedSize(file) {
  const bytes = readFileSync(file);
  return extname(file.pathname) === '.woff2' ? bytes.length : gzipSync(bytes, { level: 9 }).length;
}

/** @param {readonly { bytes: number }[]} files */
function total(files) {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
