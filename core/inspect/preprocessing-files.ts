import { lstatSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PreprocessingSource } from './preprocessing.ts';

/** In the order in which they are believed. */
const names = ['preprocessor_config.json', 'config.json'];
/** Such files have a few hundred bytes, with the names of a thousand classes some ten thousand. */
const maxBytes = 4 * 2 ** 20;

/**
 * The settings files of Hugging Face and timm beside a model, or above its folder where that is called `onnx`. Ordinary
 * files only; one that cannot be read or parsed is passed over.
 */
export function findPreprocessingFiles(modelPath: string): readonly PreprocessingSource[] {
  const folder = dirname(modelPath);
  const folders = basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder];
  return names.flatMap((name) => {
    for (const each of folders) {
      const json = readSmallJson(join(each, name));
      if (json !== undefined) return [{ name, json }];
    }
    return [];
  });
}

function readSmallJson(path: string): unknown {
  try {
    const stats = lstatSync(path);
    if (!stats.isFile() || stats.size > maxBytes) return undefined;
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
