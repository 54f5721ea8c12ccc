import { grouped, unsuitable } from '../errors.ts';
import type { PixelKind } from '../pixels.ts';

/** A larger table belongs into a file that can be read item by item. */
const mostBytes = 2 ** 30;
/** Resampling leaves values such as 1.0000001. */
const tolerance = 1e-3;

/** Pixels as they come, in bytes as long as they are whole numbers and in floats from then on. */
export class CsvPixels {
  readonly #name: string;
  #values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> = new Uint8Array(2 ** 16);
  #length = 0;
  #largest = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** False for values that are pixels in no scale. */
  accepts(value: number): boolean {
    return value >= -tolerance && value <= 255;
  }

  push(value: number): boolean {
    if (!this.accepts(value)) return false;
    if (value > this.#largest) this.#largest = value;
    if (this.#values instanceof Uint8Array && !isByte(value)) this.#resize(this.#values.length, true);
    if (this.#length === this.#values.length) this.#resize(2 * this.#length, this.#values instanceof Float32Array);
    this.#values[this.#length++] = value;
    return true;
  }

  #resize(length: number, isFloat: boolean): void {
    if (length * (isFloat ? 4 : 1) > mostBytes) {
      throw unsuitable(
        `${this.#name} holds more than ${grouped(mostBytes)} bytes of pixels, expected less in a text file`,
        'Save it as .npy, which is read from disk as it is needed.',
      );
    }
    const values = isFloat ? new Float32Array(length) : new Uint8Array(length);
    values.set(this.#values.subarray(0, this.#length));
    this.#values = values;
  }

  /**
   * Items of `size` pixels as rawBlock reads them. `edge`: a pixel of each item that was kept apart, its first or last.
   * Whole numbers beyond 1 are of the scale 0 to 255, as are fractions beyond 1.
   */
  finish(
    size: number,
    edge: { readonly isFirst: boolean; readonly values: readonly number[] } | undefined,
  ): { readonly bytes: Uint8Array; readonly kind: PixelKind; readonly count: number } {
    const all = this.#values.subarray(0, this.#length);
    const inner = edge ? size - 1 : size;
    const count = edge ? edge.values.length : all.length / size;
    const largest = edge?.values.reduce((most, value) => Math.max(most, value), this.#largest) ?? this.#largest;
    const isBytes = all instanceof Uint8Array && (edge?.values.every(isByte) ?? true);
    if (isBytes && largest > 1 && !edge) return { bytes: all, kind: 'uint8', count };
    const values = isBytes && largest > 1 ? new Uint8Array(count * size) : new Float32Array(count * size);
    const scale = isBytes || largest <= 1 + tolerance ? 1 : 255;
    for (let item = 0; item < count; item++) {
      const at = item * size;
      values.set(all.subarray(item * inner, (item + 1) * inner), at + (edge?.isFirst ? 1 : 0));
      if (edge) values[edge.isFirst ? at : at + inner] = edge.values[item] ?? 0;
    }
    if (scale !== 1) for (let i = 0; i < values.length; i++) values[i] = values[i]! / scale;
    const bytes = new Uint8Array(values.buffer);
    return { bytes, kind: values instanceof Uint8Array ? 'uint8' : 'float32', count };
  }
}

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0;
