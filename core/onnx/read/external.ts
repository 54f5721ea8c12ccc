import { closeSync, fstatSync, readSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { TensorProto } from '../proto/onnx_pb.generated.ts';
import type { RuleId } from '../validate/rules.ts';
import { type Obstacle, openInside } from './inside-folder.ts';
import { refusal, shown, type Source } from './problem.ts';

const knownKeys: ReadonlySet<string> = new Set(['location', 'offset', 'length', 'checksum']);
const longestLocation = 1024;
/** One read call takes less than 2 GiB. */
const chunkBytes = 2 ** 30;
/** How often the bytes of a file may be taken: tied weights are stored once and named twice. */
const useLimit = 2;
/** Names that are devices in every folder of Windows. */
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

interface Region {
  readonly parts: readonly string[];
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** The tensors of one model that stand in files beside it. */
export class ExternalData {
  readonly #source: Source;
  /** What has been read, by file and place: tied weights share their memory. */
  readonly #regions = new Map<string, Uint8Array>();
  /** Bytes read so far, by file. */
  readonly #used = new Map<string, number>();

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * The raw bytes of a tensor that the file keeps outside itself. Only ordinary files inside the model's own folder are
   * opened, without following links. `sizeBytes` is what shape and type ask for. Throws the error of the rule broken.
   */
  read(proto: TensorProto, name: string, sizeBytes: number): Uint8Array {
    const region = this.#describe(proto, shown(name), sizeBytes);
    const key = `${region.offset}:${region.length}:${region.parts.join('/')}`;
    const known = this.#regions.get(key);
    if (known !== undefined) return known;
    const bytes = this.#fetch(region, shown(name));
    this.#regions.set(key, bytes);
    return bytes;
  }

  #refuse(rule: RuleId, message: string, cause?: unknown): never {
    throw refusal(rule, this.#source, message, { cause });
  }

  #describe(proto: TensorProto, name: string, sizeBytes: number): Region {
    const entries = new Map<string, string>();
    for (const { key, value } of proto.externalData) {
      if (!knownKeys.has(key) || entries.has(key)) {
        const problem = entries.has(key) ? 'twice' : 'an unknown key';
        this.#refuse('ONNX_E_EXTERNAL_KEY', `the external data of ${name} have "${shown(key)}", ${problem}`);
      }
      entries.set(key, value);
    }
    const location = entries.get('location') ?? '';
    const parts = this.#partsOf(location, name);
    const offset = this.#whole(name, 'offset', entries.get('offset') ?? '0');
    const length = this.#whole(name, 'length', entries.get('length') ?? String(sizeBytes));
    if (length !== sizeBytes) {
      this.#refuse('ONNX_E_TENSOR_LENGTH', `expected ${sizeBytes} bytes of external data for ${name}, got ${length}`);
    }
    return { parts, location: shown(location), offset, length };
  }

  #whole(name: string, key: string, text: string): number {
    const value = Number(text);
    if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
    return this.#refuse(
      'ONNX_E_EXTERNAL_RANGE',
      `expected ${key} of the external data of ${name} to be a whole number, got "${shown(text)}"`,
    );
  }

  #partsOf(location: string, name: string): readonly string[] {
    if (/_ORT_MEM_ADDR_/i.test(location)) {
      this.#refuse(
        'ONNX_E_EXTERNAL_ADDRESS',
        `expected the external data of ${name} in a file, got an address in memory`,
      );
    }
    const parts = location.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
    const isStrange = (part: string): boolean =>
      part === '..' || /[:\p{Cc}\p{Cf}]|[. ]$/u.test(part) || deviceName.test(part);
    const isOutside = /^[/\\]/.test(location) || parts.some(isStrange) || location.length > longestLocation;
    if (isOutside || parts.length === 0 || /[/\\]$/.test(location)) {
      this.#refuse(
        'ONNX_E_EXTERNAL_PATH',
        `expected the external data of ${name} next to the model, got location "${shown(location)}"`,
      );
    }
    if (this.#source.path === undefined) {
      throw refusal(
        'ONNX_E_EXTERNAL_PATH',
        this.#source,
        `expected all data inside the file, got external data "${shown(location)}" for ${name}`,
        { hint: 'Open the model by its path.' },
      );
    }
    return parts;
  }

  #fetch({ parts, location, offset, length }: Region, name: string): Uint8Array {
    const file = openInside(dirname(this.#source.path ?? ''), parts);
    if ('kind' in file) return this.#cannotOpen(file, location, name);
    try {
      const { size } = file.stats;
      if (offset + length > size) {
        const wanted = `expected ${offset + length} bytes in "${location}" for ${name}`;
        this.#refuse('ONNX_E_EXTERNAL_RANGE', `${wanted}, got ${size}`);
      }
      const path = parts.join('/');
      const used = (this.#used.get(path) ?? 0) + length;
      this.#used.set(path, used);
      if (used > useLimit * size) {
        this.#refuse(
          'ONNX_E_EXTERNAL_OVERLAP',
          `expected tensors that take at most ${useLimit} × ${size} bytes from "${location}", got more from ${name} on`,
        );
      }
      return this.#bytesOf(file.descriptor, file.stats, { parts, location, offset, length }, name);
    } finally {
      closeSync(file.descriptor);
    }
  }

  #bytesOf(descriptor: number, before: Stats, { location, offset, length }: Region, name: string): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = readSync(descriptor, bytes, done, Math.min(chunkBytes, length - done), offset + done);
      if (count === 0) this.#refuse('ONNX_E_EXTERNAL_CHANGED', `"${location}" ended while ${name} was read`);
      done += count;
    }
    const after = fstatSync(descriptor);
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      this.#refuse('ONNX_E_EXTERNAL_CHANGED', `"${location}" was written to while ${name} was read`);
    }
    return bytes;
  }

  #cannotOpen(obstacle: Obstacle, location: string, name: string): never {
    const what = `expected external data "${location}" of ${name}`;
    switch (obstacle.kind) {
      case 'missing':
        return this.#refuse(
          'ONNX_E_EXTERNAL_MISSING',
          `${what} beside the model, found none that can be opened`,
          obstacle.cause,
        );
      case 'link':
        return this.#refuse('ONNX_E_EXTERNAL_LINK', `${what} to be an ordinary file, not a link`);
      case 'not-a-file':
        return this.#refuse('ONNX_E_EXTERNAL_KIND', `${what} to be an ordinary file, got ${obstacle.what}`);
      case 'changed':
        return this.#refuse('ONNX_E_EXTERNAL_CHANGED', `${what} to stay as it is while it is opened`);
    }
  }
}
