import { float32 } from '../../base/tensor.ts';
import { npzBytes, pngGrid } from '../../data/write.ts';
import { argmaxRows, classHistogram } from '../../metrics/classification.ts';
import { logSoftmaxRows } from '../../metrics/probabilities.ts';
import type { MethodEvent } from '../context.ts';
import { rowEntropies, type TargetSet } from './targets.ts';

/** Finished impressions with what the teacher says of them. */
export interface Impressions {
  /** [N, C, H, W]. */
  readonly images: Float32Array<ArrayBuffer>;
  readonly shape: readonly [number, number, number];
  readonly targets: TargetSet;
  /** Teacher logits [N, K] of the plain images. */
  readonly logits: Float32Array<ArrayBuffer>;
  readonly classes: number;
  readonly classNames: readonly string[];
}

const gridColumns = 12;

/** The first impressions of each class, one row a class; black where there are not enough yet. */
export async function impressionsGrid(
  images: Float32Array,
  made: (index: number) => boolean,
  targets: TargetSet,
  shape: readonly [number, number, number],
  bounds: readonly [number, number],
  classNames: readonly string[],
): Promise<MethodEvent> {
  const size = shape[0] * shape[1] * shape[2];
  const classes = classNames.length;
  const grid = new Float32Array(classes * gridColumns * size);
  const filled = new Int32Array(classes);
  for (let i = 0; i < targets.classes.length; i++) {
    const k = targets.classes[i]!;
    if (!made(i) || filled[k]! >= gridColumns) continue;
    grid.set(images.subarray(i * size, (i + 1) * size), (k * gridColumns + filled[k]!) * size);
    filled[k]!++;
  }
  const [low, high] = bounds;
  for (let i = 0; i < grid.length; i++) grid[i] = (grid[i]! - low) / (high - low);
  const bytes = await pngGrid(grid, [classes * gridColumns, ...shape], { columns: gridColumns, scale: 2, gap: 2 });
  return {
    type: 'artifact',
    name: 'impressions-grid',
    title: 'Impressions by class',
    content: { bytes, mediaType: 'image/png' },
    meta: { rows: classNames, columns: gridColumns },
  };
}

/** Excess loss KL(y ‖ p_τ) of each impression, in nats (zskd.md section 5). */
export function excessLosses({ logits, targets, classes }: Impressions, temperature: number): Float64Array {
  const logProbabilities = logSoftmaxRows(logits, classes, temperature);
  const entropies = rowEntropies(targets.targets, classes);
  return entropies.map((entropy, i) => {
    let crossEntropy = 0;
    for (let k = 0; k < classes; k++) {
      crossEntropy -= targets.targets[i * classes + k]! * logProbabilities[i * classes + k]!;
    }
    return crossEntropy - entropy;
  });
}

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** The attainment statistics as the artifact that report.ts reads. */
export function attainment(
  made: Impressions,
  temperature: number,
  scales: readonly number[],
): { json: AttainmentJson; event: MethodEvent } {
  const { logits, targets, classes, classNames, images } = made;
  const answers = argmaxRows(logits, classes);
  const wanted = argmaxRows(targets.targets, classes);
  const reached = Float64Array.from(answers, (answer, i) => Number(answer === wanted[i]));
  const excess = excessLosses(made, temperature);
  const sorted = Float64Array.from(excess).sort();
  const where = (scale: number): number[] =>
    [...targets.scales.keys()].filter((i) => targets.scales[i] === Math.fround(scale));
  let [low, high] = [Infinity, -Infinity];
  for (const value of images) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const json = {
    count: answers.length,
    classNames: [...classNames],
    classHistogram: Array.from(classHistogram(answers, classes)),
    excessLoss: { mean: mean(excess), p90: sorted[Math.floor(0.9 * (sorted.length - 1))] ?? 0 },
    targetEntropy: mean(rowEntropies(targets.targets, classes)),
    attained: mean(reached),
    meanLogitGap: mean(logitGaps(logits, classes)),
    pixelRange: [low, high],
    scales: [...new Set(scales)]
      .map((scale) => ({ scale, rows: where(scale) }))
      .filter(({ rows }) => rows.length > 0)
      .map(({ scale, rows }) => ({
        scale,
        count: rows.length,
        attained: mean(rows.map((i) => reached[i]!)),
        excessLoss: mean(rows.map((i) => excess[i]!)),
      })),
  };
  return {
    json,
    event: { type: 'artifact', name: 'attainment', title: 'Attainment of the targets', content: { json } },
  };
}

export interface AttainmentJson {
  readonly excessLoss: { readonly mean: number; readonly p90: number };
  readonly attained: number;
}

/** Largest minus second largest logit of each row. */
function logitGaps(logits: Float32Array, classes: number): Float64Array {
  return Float64Array.from({ length: logits.length / classes }, (_, i) => {
    const row = logits.slice(i * classes, (i + 1) * classes).sort();
    return row[classes - 1]! - row[classes - 2]!;
  });
}

/** Images, targets, classes, scales and teacher logits as one .npz file, float32 as computed. */
export function impressionsFile({ images, shape, targets, logits, classes }: Impressions): MethodEvent {
  const n = targets.classes.length;
  const bytes = npzBytes({
    images: float32([n, ...shape], images),
    targets: float32([n, classes], targets.targets),
    teacher_logits: float32([n, classes], logits),
    classes: { dtype: 'int32', dims: [n], data: targets.classes },
    scales: float32([n], targets.scales),
  });
  return {
    type: 'artifact',
    name: 'impressions',
    title: 'Impressions, targets and teacher logits',
    content: { bytes, mediaType: 'application/x-npz' },
    meta: { count: n, shape },
  };
}
