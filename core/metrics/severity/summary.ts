import type { CostMatrix, Dissimilarity } from './dissimilarity.ts';
import { concentration, flipMatrix, type Concentration, type Flips } from './flips.ts';
import { kendallTauB } from './rank-agreement.ts';
import { estimate, pairedDifference, type Estimate, type Resamples, type Statistic } from './resampling.ts';
import {
  confidenceMetrics,
  costSummary,
  flipCounts,
  fooledByAll,
  rankMetrics,
  severity,
  severityByClass,
  type CostSummary,
} from './severity.ts';

/** What one attack did to one model, and what kind of attack it was. */
export interface AttackOutcome {
  readonly model: string;
  /** Short name; with `epsilon`, `norm` and `steps` it names the attack. */
  readonly attack: string;
  readonly title: string;
  readonly family: AttackFamily;
  readonly norm: string;
  /** null for attacks that look for the smallest perturbation. */
  readonly epsilon: number | null;
  readonly steps: number | null;
  readonly flips: Flips;
}

export type AttackFamily =
  | 'white-box'
  | 'black-box'
  | 'transfer'
  | 'universal'
  | 'targeted'
  | 'worst-case'
  | 'control'
  /** One attack with several numbers of steps: compared with itself. */
  | 'sweep';

type Figures = Record<string, Estimate>;

/** One line of the severity tables; see core/report/severity.ts for how it is shown. */
export interface SeverityRow extends Omit<AttackOutcome, 'flips'> {
  readonly count: number;
  readonly fooled: number;
  /** Flip counts, ranks and confidence by the names of severity.ts. */
  readonly metrics: Figures;
  /** By the name of the dissimilarity. */
  readonly severity: Figures;
  readonly corrected: Figures;
  readonly harm: Figures;
  /** The same over the images that every compared attack fools; null when there is nothing to compare. */
  readonly shared: { readonly count: number; readonly corrected: Figures } | null;
  readonly cost: CostSummary | null;
  readonly concentration: Concentration;
  /** Counts, rows before, columns after. */
  readonly flips: number[][];
  /** Of the leading dissimilarity; null without one. */
  readonly byClass: ReturnType<typeof severityByClass> | null;
}

export interface SummaryOptions {
  /** The first one leads. */
  readonly measures: readonly Dissimilarity[];
  readonly cost?: CostMatrix | undefined;
  readonly resamples: Resamples;
}

/** Work that pauses after each figure, so that whoever waits for it can be told to stop. */
type Steps<Result> = Generator<undefined, Result, void>;

function* estimates(statistics: Record<string, Statistic>, resamples: Resamples): Steps<Figures> {
  const figures: Figures = {};
  for (const [name, statistic] of Object.entries(statistics)) {
    figures[name] = estimate(statistic, resamples);
    yield undefined;
  }
  return figures;
}

/** Without a pause. */
function finished<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Attacks are compared with those on the same model with the same norm and epsilon. */
const comparable = (a: AttackOutcome, b: AttackOutcome): boolean =>
  a.model === b.model && a.norm === b.norm && a.epsilon === b.epsilon && !isApart(b.family);

/** Controls fool too few to be compared, the worst case is made of the others, and those told a class do as they are told. */
const isApart = (family: AttackFamily): boolean => ['control', 'worst-case', 'targeted', 'sweep'].includes(family);

export const summariseAttacks = (outcomes: readonly AttackOutcome[], options: SummaryOptions): SeverityRow[] =>
  outcomes.map((outcome) => finished(summariseAttack(outcome, outcomes, options)));

/** The row of one attack among those it is compared with; some tenths of a second for a thousand images. */
export function* summariseAttack(
  outcome: AttackOutcome,
  outcomes: readonly AttackOutcome[],
  { measures, cost, resamples }: SummaryOptions,
): Steps<SeverityRow> {
  const { flips, ...about } = outcome;
  const peers = outcomes.filter((other) => comparable(outcome, other));
  const selection = fooledByAll(peers.map((peer) => peer.flips));
  const each = (part: 'severity' | 'corrected' | 'harm', chosen?: Uint8Array): Steps<Figures> =>
    estimates(
      Object.fromEntries(measures.map((measure) => [measure.name, severity(flips, measure, chosen)[part]])),
      resamples,
    );
  const [leading] = measures;
  return {
    ...about,
    count: flips.count,
    fooled: sum(flips.fooled),
    metrics: yield* estimates({ ...flipCounts(flips), ...rankMetrics(flips), ...confidenceMetrics(flips) }, resamples),
    severity: yield* each('severity'),
    corrected: yield* each('corrected'),
    harm: yield* each('harm'),
    shared:
      peers.length < 2 || isApart(outcome.family)
        ? null
        : { count: sum(selection), corrected: yield* each('corrected', selection) },
    cost: cost ? costSummary(flips, cost) : null,
    concentration: concentration(flips),
    flips: rowsOf(flipMatrix(flips), flips.classes),
    byClass: leading ? severityByClass(flips, leading.values) : null,
  };
}

const sum = (values: Uint8Array): number => values.reduce((a, b) => a + b, 0);

const rowsOf = (counts: Int32Array, classes: number): number[][] =>
  Array.from({ length: classes }, (_, k) => Array.from(counts.subarray(k * classes, (k + 1) * classes)));

/** How far the order of attacks by fooling rate is that by chance-corrected severity. */
export interface RankAgreement {
  /** What is held fixed: "model X, linf 0.1" or "attack Y, linf 0.1". */
  readonly within: string;
  readonly measure: string;
  /** Attacks or models in the comparison. */
  readonly count: number;
  readonly tau: number | null;
}

/** Kendall's tau-b between fooling rate and each severity, over attacks within a model and over models within an attack; at least three of them. */
export function rankAgreements(rows: readonly SeverityRow[]): RankAgreement[] {
  const compared = rows.filter(({ family, fooled }) => !isApart(family) && fooled > 0);
  const budget = ({ norm, epsilon }: SeverityRow): string => (epsilon === null ? norm : `${norm} ${epsilon}`);
  return [
    ...agreementsBy(compared, (row) => `model ${row.model}, ${budget(row)}`),
    ...agreementsBy(compared, (row) => `attack ${row.title}, ${budget(row)}`),
  ];
}

function agreementsBy(rows: readonly SeverityRow[], within: (row: SeverityRow) => string): RankAgreement[] {
  return [...Map.groupBy(rows, within)].flatMap(([name, group]) =>
    group.length < 3
      ? []
      : Object.keys(group[0]?.corrected ?? {}).flatMap((measure) => {
          const pairs = group.flatMap((row) => {
            const [rate, own] = [row.metrics['foolingRate']?.value, row.corrected[measure]?.value];
            return typeof rate === 'number' && typeof own === 'number' ? [[rate, own] as const] : [];
          });
          const tau = kendallTauB(
            pairs.map(([rate]) => rate),
            pairs.map(([, own]) => own),
          );
          return pairs.length < 3 ? [] : [{ within: name, measure, count: pairs.length, tau }];
        }),
  );
}

/** A difference of chance-corrected severity between two attacks on the same images. */
export interface SeverityDifference {
  readonly first: string;
  readonly second: string;
  readonly measure: string;
  readonly difference: Estimate;
  /** The interval leaves 0 out. */
  readonly isClear: boolean;
}

/** Paired differences of `measure` between every two comparable attacks. */
export const severityDifferences = (...given: Parameters<typeof differenceSteps>): SeverityDifference[] =>
  finished(differenceSteps(...given));

export function* differenceSteps(
  outcomes: readonly AttackOutcome[],
  measure: Dissimilarity,
  resamples: Resamples,
): Steps<SeverityDifference[]> {
  const differences: SeverityDifference[] = [];
  for (const [i, first] of outcomes.entries()) {
    for (const second of outcomes.slice(i + 1)) {
      if (!comparable(first, second) || isApart(first.family)) continue;
      const [a, b] = [severity(first.flips, measure).corrected, severity(second.flips, measure).corrected];
      const difference = pairedDifference(a, b, resamples);
      const { low, high } = difference;
      const isClear = low !== null && high !== null && (low > 0 || high < 0);
      differences.push({ first: first.title, second: second.title, measure: measure.name, difference, isClear });
      yield undefined;
    }
  }
  return differences;
}

/** Chance-corrected severity of the clean model's own mistakes (from the true class to its answer): the reference row. */
export function cleanMistakes(
  labels: Int32Array,
  { before, classes }: Pick<Flips, 'before' | 'classes'>,
  measures: readonly Dissimilarity[],
  resamples: Resamples,
): { readonly count: number; readonly corrected: Figures } {
  const wrong = Uint8Array.from(before, (a, i) => Number(a !== labels[i]));
  const mistakes = { before: labels, after: before, fooled: wrong, classes };
  const statistics = measures.map((measure) => [measure.name, severity(mistakes, measure).corrected] as const);
  return { count: sum(wrong), corrected: finished(estimates(Object.fromEntries(statistics), resamples)) };
}
