import type { z } from 'zod';
import { WorkbenchError } from '../../base/errors.ts';
import { stream } from '../../base/rng.ts';
import { float32, tensor, type Tensor } from '../../base/tensor.ts';
import { npzBytes, pngGrid } from '../../data/write.ts';
import { balanceScore, imbalanceRatio } from '../../metrics/transfer.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { MethodEvent } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import {
  equalQuotas,
  fillBuckets,
  mostConfident,
  settleShortfall,
  skewedQuotas,
  takeFirst,
  type ChosenSet,
} from './balance.ts';
import type { PoolPass } from './pool.ts';
import type { RepeatData, SetData } from './report.ts';
import { scanColumn, type Scan } from './scan.ts';
import type { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

/** The two sets of one repeat, drawn from one scan of the pool. */
export interface SetPair {
  /** 0, 1, 2 … */
  readonly repeat: number;
  readonly seed: number;
  readonly pass: PoolPass;
  readonly scan: Scan;
  /** The teacher's class of each scanned image. */
  readonly labels: Float32Array;
  /** Images that passed the confidence filter. */
  readonly accepted: number;
  readonly balanced: ChosenSet;
  readonly unbalanced: ChosenSet;
}

/** Fewer different images of a class than this are said to be few. */
const fewDistinct = 50;

/** Images that may be looked at in one repeat, of a pool of `size`. */
export const scanLimit = ({ maxScan, count }: Params, size: number): number =>
  Math.min(size, maxScan === 0 ? 200 * count : Math.max(maxScan, count));

/** The scan may end before its limit only when nothing depends on what would have come. */
export function isEnough({ filter, skew, count }: Params, classes: number): (scan: Scan) => boolean {
  if (filter !== 'none' || skew > 0) return () => false;
  const quotas = equalQuotas(count, classes);
  return (scan) => scan.count >= count && quotas.every((quota, k) => scan.histogram[k]! >= quota);
}

/** Draws both sets, of one size: that of the balanced one after its short classes were dealt with. */
export function choosePair(params: Params, scan: Scan, pass: PoolPass, repeat: number): SetPair {
  const seed = params.seed + repeat;
  const classes = scan.histogram.length;
  const labels = scanColumn(scan, 'label');
  const accepted = acceptedPositions(params, scan, labels);
  const pick = (quotas: readonly number[], policy: Params['shortfall'], name: string): ChosenSet =>
    settleShortfall(fillBuckets(accepted, labels, quotas), quotas, policy, stream(seed, name));
  const balanced = pick(equalQuotas(params.count, classes), params.shortfall, 'balanced-repeats');
  const size = balanced.positions.length;
  const unbalanced =
    params.skew > 0
      ? pick(skewedQuotas(size, scan.histogram, params.skew), 'repeat', 'skewed-repeats')
      : takeFirst(accepted, size, labels, classes);
  return { repeat, seed, pass, scan, labels, accepted: accepted.length, balanced, unbalanced };
}

function acceptedPositions({ filter, filterShare }: Params, scan: Scan, labels: Float32Array): Int32Array {
  if (filter === 'none') return Int32Array.from({ length: scan.count }, (_, i) => i);
  const field = ({ 'top-confidence': 'confidence', 'low-entropy': 'entropy', margin: 'margin' } as const)[filter];
  const column = scanColumn(scan, field);
  const scores = field === 'entropy' ? column.map((value) => -value) : column;
  return mostConfident(scores, labels, scan.histogram.length, filterShare);
}

/** PARAM_INVALID or MODEL_UNSUITABLE for what cannot work whatever the pool says. */
export function checkFeasible({ count, filter }: Params, { classes, title, description }: OpenedModel): void {
  if (count < classes) {
    throw new WorkbenchError(
      'PARAM_INVALID',
      `A transfer set of ${count} images cannot hold each of the ${classes} classes of ${title}`,
      { hint: `Ask for at least ${classes} images with --count.` },
    );
  }
  if (filter === 'margin' && !description.templates) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `The margin filter needs the last linear layer, but ${title} does not end in one`,
      { hint: 'Choose the filter top-confidence or low-entropy, which look at answers only.' },
    );
  }
}

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
};

/** What the report says of a pair. */
export function describePair(pair: SetPair, limit: number, wanted: number): z.infer<typeof RepeatData> {
  const { scan, seed, accepted, balanced, unbalanced } = pair;
  const [confidence, entropy, softEntropy] = [
    scanColumn(scan, 'confidence'),
    scanColumn(scan, 'entropy'),
    scanColumn(scan, 'softEntropy'),
  ];
  const classes = scan.histogram.length;
  const quotas = equalQuotas(wanted, classes);
  const at = (column: Float32Array, positions: Int32Array): Float32Array =>
    Float32Array.from(positions, (p) => column[p]!);
  const describe = ({ positions, policy, histogram, distinct }: ChosenSet): z.infer<typeof SetData> => ({
    count: positions.length,
    policy,
    histogram: [...histogram],
    distinct: [...distinct],
    meanConfidence: mean(at(confidence, positions)),
    meanEntropy: mean(at(entropy, positions)),
    meanSoftEntropy: mean(at(softEntropy, positions)),
    confidenceByClass: histogram.map((count, k) =>
      count === 0
        ? null
        : mean(
            at(
              confidence,
              positions.filter((p) => pair.labels[p] === k),
            ),
          ),
    ),
  });
  const filled = balanced.distinct.map((count, k) => (quotas[k] === 0 ? 1 : count / (quotas[k] ?? 1)));
  return {
    seed,
    scanned: scan.count,
    limit,
    accepted,
    histogram: Array.from(scan.histogram),
    balanceScore: balanceScore(scan.histogram),
    imbalanceRatio: imbalanceRatio(scan.histogram),
    meanConfidence: mean(confidence),
    meanEntropy: mean(entropy),
    meanSoftEntropy: mean(softEntropy),
    fillRate: balanced.distinct.reduce((a, b) => a + b, 0) / wanted,
    fillRates: filled,
    balanced: describe(balanced),
    unbalanced: describe(unbalanced),
  };
}

/** Sentences about what is thin or missing in a pair. */
export function pairWarnings(pair: SetPair, wanted: number, classNames: readonly string[]): string[] {
  const { scan, balanced, unbalanced } = pair;
  const named = (classes: readonly number[]): string => classes.map((k) => classNames[k] ?? String(k)).join(', ');
  const where = (holds: (count: number) => boolean): number[] =>
    balanced.distinct.flatMap((count, k) => (holds(count) ? [k] : []));
  const missing = where((count) => count === 0);
  const few = where((count) => count > 0 && count < fewDistinct);
  const size = balanced.positions.length;
  const quota = Math.ceil(wanted / scan.histogram.length);
  const done = {
    none: [],
    cap: [
      `Some classes are short: every class was cut to ${Math.max(...balanced.histogram)} images of ${quota}, ${size} in all, in both sets.`,
    ],
    repeat: ['Some classes are short: their images are used several times in the balanced set.'],
    partial: [`Some classes are short: they stay so and weigh more; ${size} of ${wanted} images in both sets.`],
  }[balanced.policy];
  return [
    ...(missing.length > 0
      ? [
          `Among ${scan.count} images of the pool the teacher sees none of class ${named(missing)}: the balanced set lacks ${missing.length === 1 ? 'it' : 'them'}.`,
        ]
      : []),
    ...done,
    ...(few.length > 0
      ? [`The balanced set has fewer than ${fewDistinct} different images of class ${named(few)}.`]
      : []),
    ...(unbalanced.policy === 'repeat' && size > 0
      ? ['The pool has fewer images than the unbalanced set: some are used several times.']
      : []),
  ];
}

const mostColumns = 12;

/** The first images of each class in the balanced set, one row a class, clear where there are not enough. */
export async function sampleGrid(pair: SetPair, classNames: readonly string[]): Promise<MethodEvent> {
  const { source } = pair.pass;
  const [channels, height, width] = source.shape;
  const size = channels * height * width;
  const distinct = Int32Array.from(new Set(pair.balanced.positions));
  const rows = classNames.map((_, k) =>
    distinct.filter((position) => pair.labels[position] === k).slice(0, mostColumns),
  );
  const columns = Math.max(1, ...rows.map((row) => row.length));
  const grid = new Float32Array(rows.length * columns * size);
  for (const [k, row] of rows.entries()) {
    const from = k * columns * size;
    if (row.length > 0) await source.read(row, grid.subarray(from, from + row.length * size));
  }
  // What is neither grey nor colour is shown by its first channel.
  const shown = channels === 1 || channels === 3 ? channels : 1;
  const images = shown === channels ? grid : firstChannels(grid, channels, height * width);
  const dims = [rows.length * columns, shown, height, width] as const;
  const bytes = await pngGrid(images, dims, {
    columns,
    scale: height < 48 ? 2 : 1,
    gap: 2,
    isMade: (i) => i % columns < rows[Math.floor(i / columns)]!.length,
  });
  return {
    type: 'artifact',
    name: 'transfer-grid',
    title: 'Transfer set by teacher class',
    content: { bytes, mediaType: 'image/png' },
    meta: { rows: classNames, columns },
  };
}

const firstChannels = (images: Float32Array, channels: number, plane: number): Float32Array =>
  images.filter((_, i) => Math.floor(i / plane) % channels === 0);

/** Both sets as one .npz file: number in the pool, the teacher's class, its confidence, and the weight of each image. */
export function transferIndex({ repeat, seed, pass, scan, labels, balanced, unbalanced }: SetPair): MethodEvent {
  const confidence = scanColumn(scan, 'confidence');
  const arrays = (name: string, { positions, weights }: ChosenSet): Record<string, Tensor> => {
    const n = positions.length;
    return {
      [`${name}_items`]: tensor(
        'int32',
        [n],
        Int32Array.from(positions, (p) => pass.itemAt(p)),
      ),
      [`${name}_labels`]: tensor(
        'int32',
        [n],
        Int32Array.from(positions, (p) => labels[p]!),
      ),
      [`${name}_confidence`]: float32(
        [n],
        Float32Array.from(positions, (p) => confidence[p]!),
      ),
      ...(weights ? { [`${name}_weights`]: float32([n], weights) } : {}),
    };
  };
  const bytes = npzBytes({ ...arrays('balanced', balanced), ...arrays('unbalanced', unbalanced) });
  return {
    type: 'artifact',
    name: repeat === 0 ? 'transfer-sets.npz' : `transfer-sets-${repeat + 1}.npz`,
    title: repeat === 0 ? 'Transfer sets: items, teacher labels, confidence' : `Transfer sets of repeat ${repeat + 1}`,
    content: { bytes, mediaType: 'application/x-npz' },
    meta: { seed, balanced: balanced.positions.length, unbalanced: unbalanced.positions.length },
  };
}
