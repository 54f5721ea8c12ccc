/** Makes docs/hostile-files.md from the rules and limits of core/onnx. With --check it compares and changes nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { defaultLimits } from '../core/onnx/validate/limits.ts';
import { rules } from '../core/onnx/validate/rules.ts';
import { hostileFilesDoc } from './hostile-files-doc.ts';

const path = new URL('../docs/hostile-files.md', import.meta.url);
const text = hostileFilesDoc(rules, defaultLimits);

if (process.argv.includes('--check')) {
  let kept = '';
  try {
    kept = readFileSync(path, 'utf8');
  } catch {
    // A missing file is out of date like any other.
  }
  if (kept !== text) {
    console.error('docs/hostile-files.md is out of date');
    console.error('hint: npm run generate');
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, text);
}
