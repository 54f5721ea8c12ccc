import { stream } from '../base/rng.ts';
import { float32, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import type { LoopTypes } from '../runtime/loop.ts';

/** Augmentation of brightness and clutter, after the view; pixels lie in [0, 1]. */
export interface LightRange {
  /**
   * Pixels are multiplied by a factor drawn log-uniformly from [1, brightness] and clipped to [0, 1]; 1: never. Impressions
   * come out darker and sparser than real images: this shows the student what the teacher says of brighter ones.
   */
  readonly brightness: number;
  /** Share of the images over which the next image of the batch is laid, dimmed at random: pixelwise maximum. */
  readonly overlay: number;
}

export const isPlainLight = ({ brightness, overlay }: LightRange): boolean => brightness === 1 && overlay === 0;

/** What each step is fed with, by name. */
export function lightTypes({ brightness, overlay }: LightRange, batchSize: number): LoopTypes['steps'] {
  const rows = { dtype: 'float32', shape: [batchSize] } as const;
  return { ...(brightness > 1 ? { brightness: rows } : {}), ...(overlay > 0 ? { overlay: rows } : {}) };
}

/** The images [B, C, H, W] as they are seen under the factors in `steps`; the same images where none are fed. */
export function applyLight(g: GraphBuilder, images: Value, steps: Readonly<Record<string, Value>>): Value {
  const [batchSize = 1] = images.shape;
  const { brightness, overlay } = steps;
  const perImage = (row: Value): Value => g.reshape(row, [batchSize, 1, 1, 1]);
  const bright = brightness ? g.clip(g.mul(images, perImage(brightness)), 0, 1) : images;
  if (!overlay) return bright;
  const next = g.concat([g.slice(bright, [0], [1], [batchSize]), g.slice(bright, [0], [0], [1])], 0);
  return g.max(bright, g.mul(next, perImage(overlay)));
}

export interface LightFeeds {
  readonly range: LightRange;
  readonly batchSize: number;
  /** Names the random stream. */
  readonly name: string;
  readonly seed: number;
  /** Whether row i of a step passes unchanged. */
  readonly isPlain: (step: number, i: number) => boolean;
}

/** The factors of steps [first, first + count); each step's depend on the seed and its number alone. */
export function lightFeeds(feeds: LightFeeds, first: number, count: number): Record<string, Tensor> {
  const { range, batchSize, name, seed, isPlain } = feeds;
  const brightness = new Float32Array(count * batchSize).fill(1);
  const overlay = new Float32Array(count * batchSize);
  for (let k = 0; k < count; k++) {
    const rng = stream(seed, `${name}.light`, first + k);
    for (let i = 0; i < batchSize; i++) {
      const factor = range.brightness ** rng.uniform();
      const isLaidOver = rng.uniform() < range.overlay;
      const weight = rng.uniform();
      if (isPlain(first + k, i)) continue;
      brightness[k * batchSize + i] = factor;
      if (isLaidOver) overlay[k * batchSize + i] = weight;
    }
  }
  const rows = (values: Float32Array<ArrayBuffer>): Tensor => float32([count, batchSize], values);
  return {
    ...(range.brightness > 1 ? { brightness: rows(brightness) } : {}),
    ...(range.overlay > 0 ? { overlay: rows(overlay) } : {}),
  };
}
