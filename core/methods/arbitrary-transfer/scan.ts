import { WorkbenchError } from '../../base/errors.ts';
import { float32, floatsOf, type Tensor } from '../../base/tensor.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import { entropyRows, softmaxRows } from '../../metrics/probabilities.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { createPredictor, type ImageSource } from '../../train/evaluate.ts';
import type { OpenedModel } from '../../train/models.ts';

/** What the teacher says of each image of a pool, in the order in which it was scanned. */
export interface Scan {
  /** Images scanned so far. */
  count: number;
  /** Rows of `fields` numbers, `blockRows` in each full block. */
  readonly blocks: Float32Array<ArrayBuffer>[];
  /** Images of each class by the teacher's most likely class at temperature 1 [K]. */
  readonly histogram: Int32Array<ArrayBuffer>;
}

/** label, confidence, entropy at temperature 1 and at the distillation's, margin; entropies in nats. */
const fields = 5;
const blockRows = 16_384;
/** Batches of the teacher between two looks at the signal. */
const batchesAtOnce = 4;

export const newScan = (classes: number): Scan => ({ count: 0, blocks: [], histogram: new Int32Array(classes) });

/** One number of every scanned image [count]. */
export function scanColumn(
  scan: Scan,
  field: 'label' | 'confidence' | 'entropy' | 'softEntropy' | 'margin',
): Float32Array {
  const offset = ['label', 'confidence', 'entropy', 'softEntropy', 'margin'].indexOf(field);
  return Float32Array.from(
    { length: scan.count },
    (_, i) => scan.blocks[Math.floor(i / blockRows)]![(i % blockRows) * fields + offset]!,
  );
}

function append(scan: Scan, row: readonly [number, number, number, number, number]): void {
  const block = Math.floor(scan.count / blockRows);
  scan.blocks[block] ??= new Float32Array(blockRows * fields);
  scan.blocks[block].set(row, (scan.count % blockRows) * fields);
  const [label] = row;
  scan.histogram[label]!++;
  scan.count++;
}

export interface ScanOptions {
  readonly teacher: OpenedModel;
  readonly source: ImageSource;
  /** Of the distillation. */
  readonly temperature: number;
  readonly session: SessionOptions;
  readonly signal: AbortSignal;
  /** No more images are wanted; looked at after every few batches. */
  readonly isEnough: (scan: Scan) => boolean;
}

/**
 * Asks the teacher about image after image until it is enough or there are no more; `scan` is brought up to date before
 * each yield and may come from a checkpoint. @throws MODEL_NOT_FINITE when an answer is not a number
 */
export async function* scanPool(options: ScanOptions, scan: Scan): AsyncGenerator<void, void, void> {
  const { teacher, source, session, signal } = options;
  if (scan.count >= source.count || options.isEnough(scan)) return;
  const marginOf = margins(teacher);
  const predictor = await createPredictor({ graph: teacher.graph, shape: teacher.shape, session });
  try {
    while (scan.count < source.count && !options.isEnough(scan)) {
      const first = scan.count;
      const count = Math.min(batchesAtOnce * predictor.batchSize, source.count - first);
      const piece: ImageSource = {
        count,
        shape: source.shape,
        read: (indices, out) =>
          source.read(
            Int32Array.from(indices, (i) => first + i),
            out,
          ),
      };
      record(await predictor.predict(piece, { signal }), options, marginOf, scan);
      yield;
    }
  } finally {
    await predictor.close();
  }
}

function record(logits: Float32Array, { teacher, temperature }: ScanOptions, marginOf: MarginOf, scan: Scan): void {
  const { classes, title } = teacher;
  const labels = argmaxRows(logits, classes);
  const probabilities = softmaxRows(logits, classes);
  const entropies = entropyRows(probabilities, classes);
  const softEntropies = entropyRows(softmaxRows(logits, classes, temperature), classes);
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    if (!row.every(Number.isFinite)) {
      throw new WorkbenchError(
        'MODEL_NOT_FINITE',
        `${title} answers image ${scan.count} of the pool with [${row.join(', ')}], expected finite logits`,
        { hint: 'Check the model file and its input range: images here are in [0, 1].' },
      );
    }
    append(scan, [label, probabilities[i * classes + label]!, entropies[i]!, softEntropies[i]!, marginOf(row, label)]);
  });
}

type MarginOf = (row: Float32Array, top: number) => number;

/**
 * (z₁ − z₂) / ‖w₁ − w₂‖ of the two highest logits, w being rows of the last layer: the distance of the features to the
 * nearest border between the two classes. 0 where the teacher has no last linear layer.
 */
function margins({ classes, description: { templates } }: OpenedModel): MarginOf {
  if (!templates) return () => 0;
  const { weight, featureCount } = templates;
  const distance = (a: number, b: number): number => {
    let sum = 0;
    for (let j = 0; j < featureCount; j++) sum += (weight[a * featureCount + j]! - weight[b * featureCount + j]!) ** 2;
    return Math.sqrt(sum);
  };
  const distances = Float64Array.from({ length: classes * classes }, (_, i) =>
    distance(Math.floor(i / classes), i % classes),
  );
  return (row, top) => {
    let second = top === 0 ? 1 : 0;
    for (let k = 0; k < classes; k++) if (k !== top && row[k]! > row[second]!) second = k;
    return (row[top]! - row[second]!) / Math.max(distances[top * classes + second]!, 1e-12);
  };
}

/** A scan as what a checkpoint stores: full blocks never change again. */
export function scanCheckpoint(
  scan: Scan,
  name: string,
): { tensors: Record<string, Tensor>; parts: Record<string, Tensor> } {
  const tensors: Record<string, Tensor> = {};
  const parts: Record<string, Tensor> = {};
  scan.blocks.forEach((block, b) => {
    const rows = Math.min(blockRows, scan.count - b * blockRows);
    if (rows === blockRows) parts[`${name}/${b}`] = float32([blockRows, fields], block);
    else tensors[`${name}/open`] = float32([rows, fields], block.slice(0, rows * fields));
  });
  return { tensors, parts };
}

/** The inverse of `scanCheckpoint`. */
export function restoreScan(
  count: number,
  classes: number,
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
  parts: Readonly<Record<string, Tensor>>,
): Scan {
  const scan = newScan(classes);
  for (let b = 0; b * blockRows < count; b++) {
    const stored = parts[`${name}/${b}`] ?? tensors[`${name}/open`];
    if (!stored) {
      throw new WorkbenchError('CHECKPOINT_STALE', `The checkpoint lacks part ${b} of the scan of the pool`, {
        hint: 'Start the run again.',
      });
    }
    const rows = floatsOf(stored, 'scanned rows');
    for (let i = 0; i < rows.length; i += fields) {
      append(scan, [rows[i]!, rows[i + 1]!, rows[i + 2]!, rows[i + 3]!, rows[i + 4]!]);
    }
  }
  return scan;
}
