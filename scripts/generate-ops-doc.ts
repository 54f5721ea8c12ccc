/** Makes docs/ops.md from the gradient rules and their cases. With --check it compares and changes nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ruleCases } from '../core/autodiff/rules/cases.ts';
import { findRule, knownOps } from '../core/autodiff/rules/index.ts';
import { opsDoc } from './ops-doc.ts';

const path = new URL('../docs/ops.md', import.meta.url);
const text = opsDoc(
  knownOps.flatMap((op) => findRule(op) ?? []),
  ruleCases,
);

if (process.argv.includes('--check')) {
  let kept = '';
  try {
    kept = readFileSync(path, 'utf8');
  } catch {
    // A missing file is out of date like any other.
  }
  if (kept !== text) {
    console.error('docs/ops.md is out of date');
    console.error('hint: npm run generate');
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, text);
}
