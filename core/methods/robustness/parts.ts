import { float32, tensor, type Tensor } from '../../base/tensor.ts';
import type { SampleRecord } from '../../attacks/shell.ts';
import type { Flag } from '../../attacks/task.ts';
import type { UnitResult } from '../../attacks/unit.ts';

/** What an attack did to a group of images at one epsilon, as a checkpoint keeps it. */
export interface StagePart {
  readonly attackId: string;
  readonly isControl: boolean;
  readonly epsilon: number;
  readonly records: readonly SampleRecord[];
  /** [n, K]. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** Rows of the group whose adversarial image is kept, and the images: those that fell first here. */
  readonly keptRows: Int32Array<ArrayBuffer>;
  readonly kept: Float32Array<ArrayBuffer>;
}

const verdicts = ['already-wrong', 'skipped', 'fooled', 'robust'] as const;
/** Bits as stored. */
const flagBits: Readonly<Record<Flag, number>> = {
  'nan-gradient': 1,
  'zero-gradient': 2,
  unconfirmed: 4,
  cycle: 8,
  'fools-source': 16,
};
/** In the order of a record. */
const allFlags: readonly Flag[] = ['cycle', 'fools-source', 'nan-gradient', 'unconfirmed', 'zero-gradient'];

function encode(record: SampleRecord): number[] {
  return [
    record.index,
    record.label,
    record.target ?? -1,
    record.predicted,
    verdicts.indexOf(record.verdict),
    record.reached,
    record.firstSuccessStep ?? -1,
    record.queries,
    record.gradientCalls,
    record.linf,
    record.l2,
    record.l1,
    record.l0,
    record.flags.reduce((bits, flag) => bits | flagBits[flag], 0),
  ];
}
const columns = 14;

function decode(row: Float64Array): SampleRecord {
  const at = (column: number): number => row[column] ?? 0;
  const orNull = (value: number): number | null => (value < 0 ? null : value);
  return {
    index: at(0),
    label: at(1),
    target: orNull(at(2)),
    predicted: at(3),
    verdict: verdicts[at(4)] ?? 'robust',
    reached: at(5),
    firstSuccessStep: orNull(at(6)),
    queries: at(7),
    gradientCalls: at(8),
    linf: at(9),
    l2: at(10),
    l1: at(11),
    l0: at(12),
    flags: allFlags.filter((flag) => (at(13) & flagBits[flag]) !== 0),
  };
}

/** Keeps of a result what is needed later: images only where nothing before had fooled the sample. */
export function partOf(result: UnitResult, size: number, isFallen: Uint8Array): StagePart {
  const rows = result.records.flatMap(({ verdict }, i) =>
    verdict === 'fooled' && isFallen[i] === 0 && !result.isControl ? [i] : [],
  );
  const kept = new Float32Array(rows.length * size);
  rows.forEach((row, i) => kept.set(result.images.subarray(row * size, (row + 1) * size), i * size));
  const { attackId, isControl, epsilon, records, logits } = result;
  return { attackId, isControl, epsilon, records, logits, keptRows: Int32Array.from(rows), kept };
}

/** As tensors under `prefix`. */
export function partTensors(prefix: string, part: StagePart): Record<string, Tensor> {
  const { records, logits, keptRows, kept } = part;
  return {
    [`${prefix}/records`]: tensor('float64', [records.length, columns], Float64Array.from(records.flatMap(encode))),
    [`${prefix}/logits`]: float32([logits.length], logits),
    [`${prefix}/rows`]: tensor('int32', [keptRows.length], keptRows),
    [`${prefix}/images`]: float32([kept.length], kept),
  };
}

/** The inverse; undefined when the checkpoint does not hold this part. */
export function readPart(
  prefix: string,
  about: Pick<StagePart, 'attackId' | 'isControl' | 'epsilon'>,
  parts: Readonly<Record<string, Tensor>>,
): StagePart | undefined {
  const rows = parts[`${prefix}/records`]?.data;
  const logits = parts[`${prefix}/logits`]?.data;
  const keptRows = parts[`${prefix}/rows`]?.data;
  const kept = parts[`${prefix}/images`]?.data;
  if (!(rows instanceof Float64Array && logits instanceof Float32Array)) return undefined;
  if (!(keptRows instanceof Int32Array && kept instanceof Float32Array)) return undefined;
  const records = Array.from({ length: rows.length / columns }, (_, i) =>
    decode(rows.subarray(i * columns, (i + 1) * columns)),
  );
  return { ...about, records, logits, keptRows, kept };
}
