/**
 * Writes the hand-made bad model files of core/onnx/testing into a folder, for tries with other programs:
 * node scripts/make-bad-files.ts FOLDER. Each file is named after the rule that it breaks; those that reach for files
 * beside them stand in folders of their own. The tests make the same files in memory.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { badFiles } from '../core/onnx/testing/bad-files.ts';
import { externalAttacks, externalModel, secret } from '../core/onnx/testing/bad-files/external.ts';

const [target] = process.argv.slice(2);
if (target === undefined) {
  console.error('Usage: node scripts/make-bad-files.ts FOLDER');
  process.exitCode = 2;
} else write(target);

function write(folder: string): void {
  const nameOf = (rule: string, name: string): string => `${rule}-${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}`;
  mkdirSync(folder, { recursive: true });
  for (const { rule, name, bytes } of badFiles) writeFileSync(join(folder, `${nameOf(rule, name)}.onnx`), bytes());
  writeFileSync(join(folder, 'secret.bin'), secret);
  for (const { rule, name, entries } of externalAttacks) {
    const inside = join(folder, nameOf(rule, name));
    mkdirSync(inside);
    writeFileSync(join(inside, 'model.onnx'), externalModel(entries(inside)));
  }
  console.log(`${badFiles.length} files and ${externalAttacks.length} folders in ${folder}`);
}
