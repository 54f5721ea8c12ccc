import { lstatSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PreprocessingSource } from './preprocessing.ts';

/** In the order in which they are believed. */
const names = ['preprocessor_config.json', 'config.json'];
/** Such files have a few hundred bytes, with the names of a thousand classes some ten thousand. */
const maxBytes = 4 * 2 ** 20;

/** What people call a file with the names of the classes, in the order in which they are believed. */
const nameFiles = [
  'labels.txt',
  'classes.txt',
  'class_names.txt',
  'labels.json',
  'classes.json',
  'class_names.json',
  'id2label.json',
];

/**
 * The settings files of Hugging Face and timm beside a model, or above its folder where that is called `onnx`. Ordinary
 * files only; one that cannot be read or parsed is passed over.
 */
export function findPreprocessingFiles(modelPath: string): readonly PreprocessingSource[] {
  return findBeside(modelPath, names).flatMap(({ name, text }) => {
    const json = jsonOr(text);
    return json === undefined ? [] : [{ name, json }];
  });
}

export interface NameFile {
  readonly name: string;
  readonly text: string;
}

/** Files beside a model, or above its folder `onnx`, that have the names of its classes by what they are called. */
export const findNameFiles = (modelPath: string): readonly NameFile[] => findBeside(modelPath, nameFiles);

function findBeside(modelPath: string, wanted: readonly string[]): readonly NameFile[] {
  const folder = dirname(modelPath);
  const folders = basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder];
  return wanted.flatMap((name) => {
    for (const each of folders) {
      const text = readSmall(join(each, name));
      if (text !== undefined) return [{ name, text }];
    }
    return [];
  });
}

function readSmall(path: string): string | undefined {
  try {
    const stats = lstatSync(path);
    return stats.isFile() && stats.size <= maxBytes ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
