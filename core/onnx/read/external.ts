import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TensorProto } from '../proto/onnx_pb.generated.ts';
import { type Source, unreadable } from './problem.ts';

const hint = 'Keep the data file in the folder of the model, under the name that the exporter gave it.';

/** A whole number ≥ 0 from an external_data entry. */
function whole(source: Source, name: string, key: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw unreadable(source, `expected ${key} of the external data of ${name} to be a whole number, got "${text}"`, hint);
}

/** A path inside the model's folder with no link on the way; model files are not trusted with anything else. */
function fileBeside(source: Source, path: string, name: string, location: string): string {
  const parts = location.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  const isOutside = /^([/\\]|[A-Za-z]:)/.test(location) || parts.includes('..') || location.includes('\0');
  if (isOutside || parts.length === 0) {
    throw unreadable(
      source,
      `expected the external data of ${name} next to the model, got location "${location}"`,
      hint,
    );
  }
  let current = realpathSync(dirname(path));
  for (const [index, part] of parts.entries()) {
    current = join(current, part);
    const found = lstatSync(current, { throwIfNoEntry: false });
    if (found === undefined)
      throw unreadable(source, `expected external data file "${location}" for ${name}, found none`, hint);
    const isRight = index < parts.length - 1 ? found.isDirectory() : found.isFile();
    if (!isRight)
      throw unreadable(
        source,
        `expected external data "${location}" of ${name} to be an ordinary file, not a link`,
        hint,
      );
  }
  return current;
}

/**
 * The raw bytes of a tensor that the file keeps outside itself. Only ordinary files inside the model's own folder are
 * opened. `sizeBytes` is what shape and type ask for. Throws MODEL_UNREADABLE.
 */
export function readExternal(proto: TensorProto, name: string, sizeBytes: number, source: Source): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  if (source.path === undefined) {
    throw unreadable(
      source,
      `expected all data inside the file, got external data "${location}" for ${name}`,
      'Open the model by its path.',
    );
  }
  const offset = whole(source, name, 'offset', entries.get('offset') ?? '0');
  const length = whole(source, name, 'length', entries.get('length') ?? String(sizeBytes));
  if (length !== sizeBytes) {
    throw unreadable(source, `expected ${sizeBytes} bytes of external data for ${name}, got ${length}`, hint);
  }
  const file = fileBeside(source, source.path, name, location);
  const handle = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const { size } = fstatSync(handle);
    if (offset + length > size) {
      throw unreadable(source, `expected ${offset + length} bytes in "${location}" for ${name}, got ${size}`, hint);
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = readSync(handle, bytes, done, length - done, offset + done);
      if (count === 0) throw unreadable(source, `"${location}" ended while ${name} was read`, hint);
      done += count;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}
