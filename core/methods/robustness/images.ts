import type { ImageSet } from '../../data/dataset.ts';

/** The audited images, in their order; read from the data whenever they are needed, so that any number of them fits. */
export interface PickedImages {
  readonly count: number;
  /** C·H·W. */
  readonly size: number;
  /** [n, C, H, W] of the images with these places in the order. */
  at(places: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
  /** Those from `from` to before `to`. */
  rows(from: number, to: number): Promise<Float32Array<ArrayBuffer>>;
}

/** `indices`: numbers of the images in the data. */
export function pickedImages(set: Pick<ImageSet, 'shape' | 'read'>, indices: Int32Array): PickedImages {
  const size = set.shape[0] * set.shape[1] * set.shape[2];
  const read = async (numbers: Int32Array): Promise<Float32Array<ArrayBuffer>> => {
    const images = new Float32Array(numbers.length * size);
    await set.read(numbers, images);
    return images;
  };
  return {
    count: indices.length,
    size,
    at: (places) => read(Int32Array.from(places, (place) => indices[place] ?? -1)),
    rows: (from, to) => read(indices.subarray(from, to)),
  };
}

/** Some images that follow each other. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** [to − from, C, H, W]. */
  readonly images: Float32Array<ArrayBuffer>;
}

/** All images, `length` at a time; ends with what the signal came for. */
export async function* inPieces(
  images: PickedImages,
  length: number,
  signal: AbortSignal,
): AsyncGenerator<Piece, void> {
  for (let from = 0; from < images.count; from += length) {
    signal.throwIfAborted();
    const to = Math.min(images.count, from + length);
    yield { from, to, images: await images.rows(from, to) };
  }
}
