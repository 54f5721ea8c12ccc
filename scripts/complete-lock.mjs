// Adds to package-lock.json the platform packages that the registry at hand does not carry, so that `npm ci` accepts the
// lock: node scripts/complete-lock.mjs [--check]. An added entry has a version, os and cpu but no integrity.
import { readFileSync, writeFileSync } from 'node:fs';
import { completeLock } from './dev-lib.mjs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const { packages, added } = completeLock(lock.packages);

if (process.argv.includes('--check')) {
  for (const name of added) console.error(`package-lock.json lacks ${name}. Hint: run node scripts/complete-lock.mjs`);
  process.exitCode = added.length === 0 ? 0 : 1;
} else {
  if (added.length > 0) writeFileSync(path, `${JSON.stringify({ ...lock, packages }, undefined, 2)}\n`);
  console.log(`${added.length} entries added to package-lock.json`);
}
