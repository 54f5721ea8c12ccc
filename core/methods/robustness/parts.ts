import { tensor, type Tensor } from '../../base/tensor.ts';
import { takeRows } from '../../attacks/perturbation.ts';
import type { SampleRecord } from '../../attacks/shell.ts';
import type { Flag } from '../../attacks/task.ts';
import type { UnitResult } from '../../attacks/unit.ts';
import type { Spill, SpillPlace } from '../../data/spill.ts';
import { packFlips, recordFlips, unpackFlips, type Flips } from '../../metrics/severity/flips.ts';

/** What an attack did to a group of images at one epsilon, as a checkpoint keeps it. */
export interface StagePart {
  readonly attackId: string;
  readonly isControl: boolean;
  readonly epsilon: number;
  readonly records: readonly SampleRecord[];
  readonly flips: Flips;
  /** Rows of the group whose adversarial image is kept: those that fell first here. */
  readonly keptRows: Int32Array<ArrayBuffer>;
  /** Where their images lie, one after the other; undefined when there are none. */
  readonly place: SpillPlace | undefined;
}

/** What a part needs to know of its group, and where it puts images. */
export interface PartOwner {
  /** Clean logits [n, K] and classes [n]. */
  readonly clean: Float32Array;
  readonly labels: Int32Array;
  readonly temperature: number;
  /** undefined: images are not kept. */
  readonly spill: Spill | undefined;
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

/** Keeps of a result what is needed later: images, on disk, only where nothing before had fooled the sample. */
export function partOf(result: UnitResult, owner: PartOwner, size: number, isFallen: Uint8Array): StagePart {
  const { attackId, isControl, epsilon, records, images } = result;
  const { clean, labels, temperature, spill } = owner;
  const rows = records.flatMap(({ verdict }, i) =>
    spill && verdict === 'fooled' && isFallen[i] === 0 && !isControl ? [i] : [],
  );
  const flips = recordFlips({
    clean,
    attacked: result.logits,
    labels,
    classes: clean.length / labels.length,
    temperature,
  });
  const place = rows.length > 0 ? spill?.write(takeRows(images, size, rows)) : undefined;
  return { attackId, isControl, epsilon, records, flips, keptRows: Int32Array.from(rows), place };
}

/** As tensors under `prefix`. */
export function partTensors(prefix: string, { records, flips, keptRows }: StagePart): Record<string, Tensor> {
  const packed = packFlips(flips);
  return {
    [`${prefix}/records`]: tensor('float64', [records.length, columns], Float64Array.from(records.flatMap(encode))),
    [`${prefix}/flips`]: tensor('float64', [packed.length], packed),
    [`${prefix}/rows`]: tensor('int32', [keptRows.length], keptRows),
  };
}

/** The inverse; undefined when the checkpoint does not hold this part, or when the images that it speaks of are gone. */
export function readPart(
  prefix: string,
  about: Pick<StagePart, 'attackId' | 'isControl' | 'epsilon' | 'place'>,
  { clean, labels, spill }: PartOwner,
  parts: Readonly<Record<string, Tensor>>,
): StagePart | undefined {
  const rows = parts[`${prefix}/records`]?.data;
  const packed = parts[`${prefix}/flips`]?.data;
  const keptRows = parts[`${prefix}/rows`]?.data;
  if (!(rows instanceof Float64Array && packed instanceof Float64Array && keptRows instanceof Int32Array))
    return undefined;
  if (keptRows.length > 0 && !(about.place && spill?.holds(about.place))) return undefined;
  const flips = unpackFlips(packed, clean.length / labels.length, labels);
  if (!flips || rows.length !== columns * labels.length) return undefined;
  const records = Array.from({ length: labels.length }, (_, i) =>
    decode(rows.subarray(i * columns, (i + 1) * columns)),
  );
  return { ...about, records, flips, keptRows };
}
