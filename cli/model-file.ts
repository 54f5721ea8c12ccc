import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { WorkbenchError } from '../core/base/errors.ts';
import { bundledFolder } from './request.ts';

const bundledPrefix = 'bundled:';

/** The path of a MODEL argument: a file, or `bundled:NAME`. @throws MODEL_UNREADABLE when there is none */
export function modelPath(text: string, cwd: string): string {
  const isBundled = text.startsWith(bundledPrefix);
  const path = isBundled
    ? join(bundledFolder, `${basename(text.slice(bundledPrefix.length))}.onnx`)
    : resolve(cwd, text);
  if (statSync(path, { throwIfNoEntry: false })) return path;
  throw new WorkbenchError('MODEL_UNREADABLE', `There is no model ${isBundled ? text : path}`, {
    hint: isBundled ? 'See assets/models for the ones there are.' : 'Give the path of an ONNX file.',
  });
}
