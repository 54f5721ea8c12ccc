import { sizeOf } from '../base/tensor.ts';
import { fillNormal, fillUniform, stream } from '../base/rng.ts';

/**
 * What an attack starts from. 'normal' N(0, 1); 'uniform' U(0, 1); 'zeros' grey or black; 'patterned-4' and 'patterned-16'
 * repeat a normal tile of that many pixels a side (Wei et al. 2020); 'mean' the images given, with 'zeros' where there are none.
 */
export const startKinds = ['normal', 'uniform', 'zeros', 'patterned-4', 'patterned-16', 'mean'] as const;
export type StartKind = (typeof startKinds)[number];

export interface StartOptions {
  readonly kind: StartKind;
  /** [N, C, H, W] */
  readonly dims: readonly number[];
  readonly seed: number;
  readonly restart: number;
  /** [C, H, W], for 'mean'. */
  readonly mean?: Float32Array | undefined;
}

/** Depends on the seed and the restart only. */
export function startPixels({ kind, dims, seed, restart, mean }: StartOptions): Float32Array<ArrayBuffer> {
  const out = new Float32Array(sizeOf(dims));
  const rng = stream(seed, 'leakage', 'start', restart);
  switch (kind) {
    case 'normal':
      fillNormal(rng, out);
      return out;
    case 'uniform':
      fillUniform(rng, out);
      return out;
    case 'zeros':
      return out;
    case 'mean':
      if (mean) for (let i = 0; i < out.length; i += mean.length) out.set(mean, i);
      return out;
    case 'patterned-4':
    case 'patterned-16': {
      const side = kind === 'patterned-4' ? 4 : 16;
      const [, , height = 1, width = 1] = dims;
      const tile = new Float32Array(side * side);
      for (let plane = 0; plane < out.length; plane += height * width) {
        fillNormal(rng, tile);
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) out[plane + y * width + x] = tile[(y % side) * side + (x % side)]!;
      }
      return out;
    }
  }
}

/** N(0, 1) label logits [N, K] for attacks that guess labels with the images. */
export function startLabelLogits(count: number, seed: number, restart: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  fillNormal(stream(seed, 'leakage', 'labels', restart), out);
  return out;
}
