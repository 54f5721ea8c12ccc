import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { filesBelow } from './dev-lib.mjs';
import { complaintsAbout, formatComplaint } from './house-rules.ts';

const root = new URL('../', import.meta.url);
const suffixes = ['.ts', '.tsx', '.mjs', '.md', '.json', '.yml', '.proto'];
const unread = /^(out|dist|coverage)\/|^package-lock\.json$/;

const files = suffixes
  .flatMap((suffix) => filesBelow(fileURLToPath(root), suffix))
  .filter((path) => !unread.test(path))
  .map((path) => ({ path, text: readFileSync(new URL(path, root), 'utf8') }));

const complaints = complaintsAbout(files);
for (const complaint of complaints) console.error(formatComplaint(complaint));
console.error(`${files.length} files read, ${complaints.length} against the rules of the house`);
process.exitCode = complaints.length === 0 ? 0 : 1;
