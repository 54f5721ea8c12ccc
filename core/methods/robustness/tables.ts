import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { writeLines } from '../../data/archive.ts';
import type { Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import { flipDissimilarity } from '../../metrics/severity/severity.ts';
import type { AttackOutcome } from '../../metrics/severity/summary.ts';
import type { SeverityData } from '../../report/severity.ts';
import type { MethodEvent } from '../context.ts';
import type { Stage } from './groups.ts';

const cell = (value: string | number | null): string => {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Where long tables are written, and what ends the writing. */
export interface TablePlace {
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** One line for each image, attack, epsilon and model: what a third person needs to count again. */
export function recordsCsv(
  models: readonly { readonly title: string; readonly stages: readonly Stage[] }[],
  place: TablePlace,
): Promise<MethodEvent> {
  return csvFile('records', 'What became of each image under each attack', recordLines(models), place);
}

function* recordLines(
  models: readonly { readonly title: string; readonly stages: readonly Stage[] }[],
): Generator<string, void> {
  yield 'model,attack,epsilon,image,label,target,predicted,verdict,reached,first_step,queries,gradient_calls,linf,l2,l1,l0,flags';
  for (const { title, stages } of models) {
    for (const { attackId, epsilon, records } of stages) {
      for (const record of records) {
        yield [
          title,
          attackId,
          epsilon,
          record.index,
          record.label,
          record.target,
          record.predicted,
          record.verdict,
          record.reached,
          record.firstSuccessStep,
          record.queries,
          record.gradientCalls,
          record.linf,
          record.l2,
          record.l1,
          record.l0,
          record.flags.join(' '),
        ]
          .map(cell)
          .join(',');
      }
    }
  }
}

/** A table of as many lines as there are images, written to disk piece by piece. */
async function csvFile(
  name: string,
  title: string,
  lines: Iterable<string>,
  { scratch, signal }: TablePlace,
): Promise<MethodEvent> {
  const file = join(scratch, `${name}.table`);
  await writeLines(file, lines, '\r\n', async () => {
    await setImmediate();
    signal.throwIfAborted();
  });
  return { type: 'artifact', name, title, content: { file, mediaType: 'text/csv' } };
}

const six = (value: number): string => String(Number(value.toPrecision(6)));

/**
 * One line for each image and attack with the columns from which all figures of severity are made (fooling-severity.md,
 * section 3): answers before and after, ranks from 1, probabilities, and the distance of the answers by each measure.
 */
export function flipsCsv(
  outcomes: readonly AttackOutcome[],
  measures: readonly Dissimilarity[],
  indices: Int32Array,
  place: TablePlace,
): Promise<MethodEvent> {
  return csvFile('flips.csv', 'What each attack did to each answer', flipLines(outcomes, measures, indices), place);
}

function* flipLines(
  outcomes: readonly AttackOutcome[],
  measures: readonly Dissimilarity[],
  indices: Int32Array,
): Generator<string, void> {
  yield [
    'model,attack,family,norm,epsilon,steps,image,label,before,after,fooled,right_before,old_rank_after,new_rank_before',
    'old_confidence_before,old_confidence_after,new_confidence_after,second_confidence_after,divergence,entropy_change',
    ...measures.map(({ name }) => `distance_${name}`),
  ].join(',');
  for (const { flips, model, attack, family, norm, epsilon, steps } of outcomes) {
    const about = [model, attack, family, norm, epsilon, steps].map(cell).join(',');
    const distances = measures.map(({ values }) => flipDissimilarity(flips, values));
    for (let i = 0; i < flips.count; i++) {
      const label = flips.labels?.[i] ?? -1;
      const [before = 0, fresh = 0] = [flips.before[i], flips.newConfidence[i]];
      const numbers = [
        flips.oldConfidenceBefore[i] ?? 0,
        flips.oldConfidence[i] ?? 0,
        fresh,
        fresh - (flips.gap[i] ?? 0),
        flips.divergence[i] ?? 0,
        flips.entropyChange[i] ?? 0,
        ...distances.map((each) => each[i] ?? 0),
      ];
      yield [
        about,
        indices[i],
        label,
        before,
        flips.after[i],
        flips.fooled[i],
        Number(before === label),
        flips.oldRank[i],
        flips.newRank[i],
        ...numbers.map(six),
      ].join(',');
    }
  }
}

/** Every figure of every attack with its interval, one a line. */
export function severityCsv({ rows }: Pick<SeverityData, 'rows'>): MethodEvent {
  const lines = rows.flatMap((row) => {
    const about = [row.model, row.attack, row.family, row.norm, row.epsilon, row.steps, row.count, row.fooled];
    const figures = [
      ...Object.entries(row.metrics),
      ...(['severity', 'corrected', 'harm'] as const).flatMap((kind) =>
        Object.entries(row[kind]).map(([name, value]) => [`${kind}.${name}`, value] as const),
      ),
      ...Object.entries(row.shared?.corrected ?? {}).map(([name, value]) => [`shared.${name}`, value] as const),
    ];
    return figures.map(([name, { value, low, high }]) => [...about, name, value, low, high].map(cell).join(','));
  });
  const head = 'model,attack,family,norm,epsilon,steps,images,fooled,figure,value,low,high';
  return {
    type: 'artifact',
    name: 'severity.csv',
    title: 'Every figure of severity',
    content: { bytes: new TextEncoder().encode(`${[head, ...lines].join('\r\n')}\r\n`), mediaType: 'text/csv' },
  };
}
