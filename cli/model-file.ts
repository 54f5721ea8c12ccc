import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { WorkbenchError } from '../core/base/errors.ts';
import { bundledFolder, bundledPrefix } from '../core/service/path-names.ts';
import type { Arguments, Flag } from './arguments.ts';

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

export const dimsFlag: Flag = {
  name: 'dims',
  value: 'NAME=SIZE,…',
  help: 'Sizes of symbolic dimensions other than the batch, by their name in the file or as INPUT.AXIS.',
};

/** What --dims says, or another flag of the kind. @throws PARAM_INVALID */
export function readDims(args: Arguments, flag = 'dims'): Readonly<Record<string, number>> {
  const text = args.text(flag);
  if (text === undefined) return {};
  const entries = text.split(',').map((part): [string, number] => {
    const at = part.lastIndexOf('=');
    const size = part.slice(at + 1).trim();
    if (at > 0 && /^[1-9]\d{0,8}$/.test(size)) return [part.slice(0, at).trim(), Number(size)];
    throw new WorkbenchError('PARAM_INVALID', `Flag --${flag}: expected NAME=SIZE apart by commas, got "${part}"`, {
      hint: `For instance --${flag} height=224,width=224.`,
    });
  });
  return Object.fromEntries(entries);
}
