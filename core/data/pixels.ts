import { grouped, unreadable, unsuitable } from './errors.ts';
import type { Region } from './files.ts';

/** Channels, height, width. */
export type ItemShape = readonly [number, number, number];

/** A run of items of one shape. */
export interface PixelBlock {
  readonly count: number;
  readonly shape: ItemShape;
  /** Writes item `indices[i]` as CHW float32 in [0, 1] to slot `slots[i]` of `out`. */
  read(indices: ArrayLike<number>, slots: ArrayLike<number>, out: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export type PixelKind = 'uint8' | 'bool' | 'uint16' | 'float32' | 'float64';

const bytesOf = { uint8: 1, bool: 1, uint16: 2, float32: 4, float64: 8 } as const;

/** How items lie in a file: records of `skip` other bytes, then the pixels, little-endian. */
export interface RawLayout {
  readonly kind: PixelKind;
  readonly count: number;
  readonly shape: ItemShape;
  readonly channelsLast: boolean;
  /** Bytes before the pixels within each record. */
  readonly skip: number;
}

const byteToUnit = Float32Array.from({ length: 256 }, (_, value) => value / 255);
/** Resampling leaves values such as 1.0000001; more than this outside [0, 1] is another scale. */
const tolerance = 1e-3;

/** Items of fixed size in one region. `release` is called by close. */
export function rawBlock(region: Region, layout: RawLayout, release: () => Promise<void>): PixelBlock {
  const { count, shape, skip } = layout;
  const pixels = shape[0] * shape[1] * shape[2];
  const size = pixels * bytesOf[layout.kind];
  const record = skip + size;
  const runLimit = Math.max(1, Math.floor(2 ** 20 / record));
  const read = async (indices: ArrayLike<number>, slots: ArrayLike<number>, out: Float32Array): Promise<void> => {
    let i = 0;
    while (i < indices.length) {
      const first = indices[i]!;
      let run = 1;
      while (run < runLimit && i + run < indices.length && indices[i + run] === first + run) run++;
      const bytes =
        region.bytes?.subarray(first * record, (first + run) * record) ??
        (await region.read(first * record, run * record));
      for (let k = 0; k < run; k++) {
        const start = k * record + skip;
        decode(bytes.subarray(start, start + size), layout, out, slots[i + k]! * pixels);
      }
      i += run;
    }
  };
  return { count, shape, read, close: release };
}

function decode(bytes: Uint8Array, layout: RawLayout, out: Float32Array, at: number): void {
  const [channels, height, width] = layout.shape;
  const plane = height * width;
  if (layout.kind === 'uint8' && (!layout.channelsLast || channels === 1)) {
    for (let i = 0; i < bytes.length; i++) out[at + i] = byteToUnit[bytes[i]!]!;
    return;
  }
  const value = reader(bytes, layout.kind);
  if (!layout.channelsLast || channels === 1) {
    for (let i = 0; i < channels * plane; i++) out[at + i] = value(i);
    return;
  }
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < plane; p++) out[at + c * plane + p] = value(p * channels + c);
  }
}

function reader(bytes: Uint8Array, kind: PixelKind): (i: number) => number {
  if (kind === 'uint8') return (i) => byteToUnit[bytes[i]!]!;
  if (kind === 'bool') return (i) => (bytes[i] === 0 ? 0 : 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 'uint16') return (i) => view.getUint16(2 * i, true) / 65535;
  const unit = (x: number): number => Math.min(1, Math.max(0, x));
  return kind === 'float32' ? (i) => unit(view.getFloat32(4 * i, true)) : (i) => unit(view.getFloat64(8 * i, true));
}

/** Looks at every pixel of a floating-point file once; refuses NaN, infinities and other scales, naming the item. */
export async function checkFloats(region: Region, layout: RawLayout, name: string): Promise<void> {
  if (layout.kind !== 'float32' && layout.kind !== 'float64') return;
  const pixels = layout.shape[0] * layout.shape[1] * layout.shape[2];
  const size = pixels * bytesOf[layout.kind];
  for (let item = 0; item < layout.count; item++) {
    const bytes = region.bytes?.subarray(item * size, (item + 1) * size) ?? (await region.read(item * size, size));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < pixels; i++) {
      const value = layout.kind === 'float32' ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
      if (value >= -tolerance && value <= 1 + tolerance) continue;
      if (Number.isFinite(value)) {
        throw unsuitable(
          `${name}: pixel ${grouped(i)} of item ${grouped(item)} is ${value}, expected floating-point pixels in [0, 1]`,
          'Store the images as uint8, or scale them to [0, 1]; mean and deviation belong to the model.',
        );
      }
      throw unreadable(
        `${name}: pixel ${grouped(i)} of item ${grouped(item)} is ${value}, expected a finite number`,
        'Remove or repair that item.',
      );
    }
  }
}

/** Several blocks of one shape, one after the other. */
export function concatBlocks(blocks: readonly PixelBlock[]): PixelBlock {
  const [first] = blocks;
  if (first && blocks.length === 1) return first;
  const starts: number[] = [];
  let count = 0;
  for (const block of blocks) {
    starts.push(count);
    count += block.count;
  }
  const read = async (indices: ArrayLike<number>, slots: ArrayLike<number>, out: Float32Array): Promise<void> => {
    for (const [b, block] of blocks.entries()) {
      const start = starts[b] ?? 0;
      const mine: number[] = [];
      const where: number[] = [];
      for (let i = 0; i < indices.length; i++) {
        const local = indices[i]! - start;
        if (local < 0 || local >= block.count) continue;
        mine.push(local);
        where.push(slots[i]!);
      }
      if (mine.length > 0) await block.read(mine, where, out);
    }
  };
  const close = async (): Promise<void> => {
    for (const block of blocks) await block.close();
  };
  return { count, shape: first?.shape ?? [1, 1, 1], read, close };
}
