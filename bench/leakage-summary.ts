import { z } from 'zod';
import { runEnds, type RunEnd } from '../core/leakage/attack-run.ts';
import { wilsonInterval } from '../core/metrics/intervals.ts';

/** One attack on one image by one fresh net. */
export interface LeakageRun {
  readonly index: number;
  readonly isLabelRight: boolean;
  /** Of what the attack hands over, unclipped, as the papers have it. Not a number where it failed. */
  readonly mse: number;
  readonly distance: number;
  readonly end: RunEnd;
  readonly steps: number;
  readonly evaluations: number;
}

/** Thresholds of iDLG's Figure 1. */
export const thresholds = [1e-2, 5e-3, 1e-3, 5e-4, 1e-4] as const;

/** Of 1,000 MNIST images and 300 outer steps: percent of labels (iDLG, Table 1) and of images below each threshold (Figure 1). */
const published = {
  dlg: { labels: 89.9, successes: [76, 76, 76, 76, 76] },
  idlg: { labels: 100, successes: [89, 89, 89, 89, 87] },
} as const;
type Attack = keyof typeof published;

export interface RunsSummary {
  readonly runs: number;
  readonly labels: number;
  /** Runs with an error at most that of `thresholds`. */
  readonly successes: readonly number[];
  readonly evaluations: number;
  readonly ends: Readonly<Partial<Record<RunEnd, number>>>;
}

export function summariseRuns(runs: readonly LeakageRun[]): RunsSummary {
  const ends: Partial<Record<RunEnd, number>> = {};
  for (const { end } of runs) ends[end] = (ends[end] ?? 0) + 1;
  return {
    runs: runs.length,
    labels: runs.filter(({ isLabelRight }) => isLabelRight).length,
    successes: thresholds.map((threshold) => runs.filter(({ mse }) => mse <= threshold).length),
    evaluations: runs.reduce((sum, run) => sum + run.evaluations, 0),
    ends,
  };
}

/** '87.0 % (79.0–92.2)' */
export function share(count: number, runs: number): string {
  const { low, high } = wilsonInterval(count, runs);
  const percent = (x: number): string => (100 * x).toFixed(1);
  return `${percent(count / runs)} % (${percent(low)}–${percent(high)})`;
}

// JSON has no word for what is not a number: null.
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const Line = z.object({
  attack: z.enum(['dlg', 'idlg']),
  most: z.int(),
  index: z.int(),
  isLabelRight: z.boolean(),
  mse: number,
  distance: number,
  end: z.enum(runEnds),
  steps: z.int(),
  evaluations: z.int(),
});

export interface LoggedRuns {
  readonly attack: Attack;
  /** Outer steps at most. */
  readonly most: number;
  /** By image, each once. */
  readonly runs: readonly LeakageRun[];
}

/** What `--log` wrote, by attack and number of steps; of an image that was attacked twice the last. @throws on a broken line */
export function readLog(text: string): readonly LoggedRuns[] {
  const groups = new Map<string, { attack: Attack; most: number; runs: Map<number, LeakageRun> }>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const { attack, most, ...run } = Line.parse(JSON.parse(line));
    const key = `${attack} ${most}`;
    const group = groups.get(key) ?? { attack, most, runs: new Map<number, LeakageRun>() };
    group.runs.set(run.index, run);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ attack, most, runs }) => ({
    attack,
    most,
    runs: [...runs.values()].toSorted((a, b) => a.index - b.index),
  }));
}

/** The logs as a table in Markdown, one column each, the published figures beside them. */
export function logTable(logs: readonly LoggedRuns[]): string {
  const summaries = logs.map((log) => ({ ...log, summary: summariseRuns(log.runs), paper: published[log.attack] }));
  const row = (name: string, cell: (of: (typeof summaries)[number]) => readonly [string, string]): string =>
    `| ${[name, ...summaries.flatMap((each) => cell(each))].join(' | ')} |`;
  const mean = (total: number, count: number): string => (count === 0 ? '–' : (total / count).toFixed(0));
  return [
    row('What', ({ attack, most, runs }) => [
      `${attack}, ${runs.length} images, at most ${most} steps`,
      `published, 1,000 images, 300 steps`,
    ]),
    row('---', () => ['---', '---']),
    row('Right label', ({ summary, paper }) => [share(summary.labels, summary.runs), `${paper.labels} %`]),
    ...thresholds.map((threshold, i) =>
      row(`MSE ≤ ${threshold}`, ({ summary, paper }) => [
        share(summary.successes[i] ?? 0, summary.runs),
        `${paper.successes[i]} %`,
      ]),
    ),
    ...runEnds.map((end) => row(`Ended: ${end}`, ({ summary }) => [share(summary.ends[end] ?? 0, summary.runs), '–'])),
    row('Without a finite error', ({ runs }) => [String(runs.filter(({ mse }) => !Number.isFinite(mse)).length), '–']),
    row('Evaluations, mean', ({ summary }) => [mean(summary.evaluations, summary.runs), '–']),
    row('Images', ({ runs }) => [
      `${runs[0]?.index ?? '–'} to ${runs.at(-1)?.index ?? '–'}`,
      'drawn from the training set',
    ]),
  ].join('\n');
}

/** On the images that both logs have: how often one of the two came below 0.01 and the other did not. */
export function pairedText(first: LoggedRuns, second: LoggedRuns): string {
  const other = new Map(second.runs.map((run) => [run.index, run]));
  const pairs = first.runs.flatMap((run) => {
    const match = other.get(run.index);
    return match ? [[run.mse <= thresholds[0], match.mse <= thresholds[0]] as const] : [];
  });
  const count = (a: boolean, b: boolean): number => pairs.filter(([x, y]) => x === a && y === b).length;
  return `Of ${pairs.length} images in both, MSE ≤ ${thresholds[0]}: ${count(true, true)} by ${first.attack} and ${second.attack}, ${count(true, false)} by ${first.attack} alone, ${count(false, true)} by ${second.attack} alone, ${count(false, false)} by neither.`;
}
