import { WorkbenchError } from '../base/errors.ts';
import { meanSquaredError, psnrDb, ssim } from '../metrics/images.ts';
import { wilsonInterval } from '../metrics/intervals.ts';
import { cheapestMatching } from './score-matching.ts';

type ItemShape = readonly [number, number, number];

/** How close a reconstruction came to one true image; pixels in [0, 1]. */
export interface ImageScore {
  /** Which of the reconstructions it is held against. */
  readonly reconstruction: number;
  /** After clipping to [0, 1]. */
  readonly mse: number;
  /** As the attack left it; what iDLG reports. */
  readonly unclippedMse: number;
  /** Of the clipped image; at most 200, which equal images get. */
  readonly psnrDb: number;
  readonly ssim: number;
}

const mostDb = 200;

/** Clips pixels to [0, 1]; what is not a number becomes 0. */
export const clipped = (image: ArrayLike<number>): Float32Array<ArrayBuffer> =>
  Float32Array.from(image, (value) => (value >= 0 ? Math.min(1, value) : 0));

/** One reconstruction [C, H, W] against the truth. */
export function scoreImage(truth: ArrayLike<number>, found: ArrayLike<number>, shape: ItemShape): ImageScore {
  const shown = clipped(found);
  return {
    reconstruction: 0,
    mse: meanSquaredError(truth, shown),
    unclippedMse: meanSquaredError(truth, found),
    psnrDb: Math.min(mostDb, psnrDb(truth, shown)),
    ssim: ssim(truth, shown, shape),
  };
}

/**
 * A batch [B, C, H, W] against reconstructions in any order: each true image gets one of them so that the sum of the
 * clipped MSE is smallest. One score for each true image, in their order.
 */
export function scoreBatch(truth: Float32Array, found: Float32Array, shape: ItemShape): readonly ImageScore[] {
  const size = shape[0] * shape[1] * shape[2];
  const count = truth.length / size;
  if (truth.length !== found.length || !Number.isInteger(count) || count === 0) {
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Scores: expected as many reconstructions as images of ${size} numbers, got ${found.length} and ${truth.length}`,
    );
  }
  const image = (from: Float32Array, i: number): Float32Array => from.subarray(i * size, (i + 1) * size);
  const shown = clipped(found);
  const cost = Float64Array.from({ length: count * count }, (_, at) =>
    meanSquaredError(image(truth, Math.floor(at / count)), image(shown, at % count)),
  );
  return Array.from(cheapestMatching(cost, count), (j, i) => ({
    ...scoreImage(image(truth, i), image(found, j), shape),
    reconstruction: j,
  }));
}

/** Images that a reconstruction could be taken for. */
export interface Gallery {
  /** [N, C, H, W] in [0, 1]; holds the true images too. */
  readonly images: Float32Array;
  readonly labels: ArrayLike<number>;
  /** Numbers in one image. */
  readonly size: number;
}

/**
 * Whether the nearest gallery image of the same label (mean squared error of clipped pixels) is the true one, gallery item
 * `truth`: the identification that IIP counts (breaching). Undefined without a rival of that label.
 */
export function isIdentified(found: ArrayLike<number>, truth: number, gallery: Gallery): boolean | undefined {
  const { images, labels, size } = gallery;
  const shown = clipped(found);
  const distance = (item: number): number => meanSquaredError(images.subarray(item * size, (item + 1) * size), shown);
  const own = distance(truth);
  let rivals = 0;
  for (let item = 0; item < labels.length; item++) {
    if (item === truth || labels[item] !== labels[truth]) continue;
    rivals++;
    if (distance(item) <= own) return false;
  }
  return rivals === 0 ? undefined : true;
}

/** A share of runs with its 95 % Wilson interval. */
export interface Share {
  readonly count: number;
  readonly of: number;
  readonly share: number;
  readonly interval: readonly [number, number];
}

export function shareOf(count: number, of: number): Share {
  const { low, high } = wilsonInterval(count, of);
  return { count, of, share: count / of, interval: [low, high] };
}

/** Thresholds of iDLG, Figure 1. */
const successThresholds = [1e-2, 5e-3, 1e-3, 5e-4, 1e-4] as const;

/** Share of runs whose MSE is at most each threshold; a run that failed has no finite MSE and counts as one. */
export const successCurve = (
  mse: readonly number[],
  thresholds: readonly number[] = successThresholds,
): readonly (Share & { readonly threshold: number })[] =>
  thresholds.map((threshold) => ({
    threshold,
    ...shareOf(mse.filter((value) => value <= threshold).length, mse.length),
  }));
