import { float32 } from '../../base/tensor.ts';
import { npzBytes, pngGrid } from '../../data/write.ts';
import { argmaxRows, classHistogram } from '../../metrics/classification.ts';
import { logSoftmaxRows } from '../../metrics/probabilities.ts';
import type { MethodEvent } from '../context.ts';
import { gridRows } from './report.ts';
import { isMade, type SynthesisProgress } from '../../train/impressions/synthesize.ts';
import { rowEntropies, type TargetSet } from '../../train/impressions/targets.ts';

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

const mostColumns = 12;
/** An image of the grid is magnified to about so many pixels. */
const shownPixels = 56;

/**
 * The first impressions of each of the first classes, one row a class, clear where one is not made yet; no wider than
 * the class that gets the most. Images that are neither grey nor colour show their first channel.
 */
export async function impressionsGrid(
  progress: SynthesisProgress,
  targets: TargetSet,
  [low, high]: readonly [number, number],
  classNames: readonly string[],
): Promise<MethodEvent> {
  const [channels, height, width] = progress.layout.shape;
  const rows = Math.min(classNames.length, gridRows);
  const size = channels * height * width;
  const shown = channels === 3 ? 3 : 1;
  const shownSize = shown * height * width;
  const asked = new Int32Array(rows);
  for (const k of targets.classes) if (k < rows) asked[k]!++;
  const columns = Math.max(
    1,
    Math.min(
      mostColumns,
      asked.reduce((a, b) => Math.max(a, b), 0),
    ),
  );
  const grid = new Float32Array(rows * columns * shownSize);
  const filled = new Int32Array(rows);
  for (let i = 0; i < targets.classes.length; i++) {
    const k = targets.classes[i]!;
    if (k >= rows || filled[k]! >= columns || !isMade(progress, i)) continue;
    const cell = (k * columns + filled[k]!) * shownSize;
    for (let p = 0; p < shownSize; p++) grid[cell + p] = (progress.images[i * size + p]! - low) / (high - low);
    filled[k]!++;
  }
  const scale = Math.max(1, Math.round(shownPixels / Math.max(height, width)));
  const dims = [rows * columns, shown, height, width] as const;
  const bytes = await pngGrid(grid, dims, {
    columns,
    scale,
    gap: 2,
    isMade: (i) => i % columns < filled[Math.floor(i / columns)]!,
  });
  return {
    type: 'artifact',
    name: 'impressions-grid',
    title: 'Impressions by class',
    content: { bytes, mediaType: 'image/png' },
    meta: { rows: classNames.slice(0, rows), columns },
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
export function attainment(made: Impressions, temperature: number): { json: AttainmentJson; event: MethodEvent } {
  const { logits, targets, classes, classNames, images } = made;
  const answers = argmaxRows(logits, classes);
  const wanted = argmaxRows(targets.targets, classes);
  const reached = Float64Array.from(answers, (answer, i) => Number(answer === wanted[i]));
  const excess = excessLosses(made, temperature);
  const sorted = Float64Array.from(excess).sort();
  const byScale = Map.groupBy(targets.scales.keys(), (i) => targets.scales[i]!);
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
    scales: [...byScale]
      .sort(([a], [b]) => b - a)
      .map(([scale, rows]) => ({
        // As it was given, before 32 bits.
        scale: Number(scale.toPrecision(7)),
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
