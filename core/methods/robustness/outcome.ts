import { setImmediate } from 'node:timers/promises';
import { stream } from '../../base/rng.ts';
import {
  examineGradients,
  examineVictim,
  oddGradients,
  suspicionsOf,
  type Suspicion,
} from '../../attacks/suspicions.ts';
import type { Victim } from '../../attacks/victim.ts';
import { attackFigures, worstCase } from '../../attacks/verdicts.ts';
import type { Attack } from '../../attacks/attack.ts';
import { wilsonInterval } from '../../metrics/intervals.ts';
import type { CostMatrix, Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import { pickFlips, type Flips } from '../../metrics/severity/flips.ts';
import { drawResamples } from '../../metrics/severity/resampling.ts';
import {
  cleanMistakes,
  differenceSteps,
  rankAgreements,
  summariseAttack,
  type AttackFamily,
  type AttackOutcome,
  type SeverityRow,
} from '../../metrics/severity/summary.ts';
import type { AuditData } from '../../report/audit.ts';
import type { SeverityData } from '../../report/severity.ts';
import type { Stage } from './groups.ts';
import type { PickedImages } from './images.ts';

type ModelAudit = AuditData['models'][number];

/** Everything of one audited model once its attacks are done. */
export interface ModelStages {
  readonly role: string;
  readonly title: string;
  readonly classes: number;
  /** Of the images as they are. */
  readonly still: Flips;
  readonly labels: Int32Array;
  readonly stages: readonly Stage[];
}

const accessOf: Readonly<Record<'asking' | 'transfer', readonly string[]>> = {
  asking: ['score', 'decision'],
  transfer: ['transfer'],
};

const nullable = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Accuracy of each attack and of the worst case at each epsilon. */
export function auditOf(
  { role, title, stages, labels }: ModelStages,
  attacks: readonly Attack[],
  epsilons: readonly number[],
  norm: 'linf' | 'l2' | 'l1',
  survivorsOnly: boolean,
): ModelAudit {
  const count = labels.length;
  const right = stages[0]?.records.filter(({ verdict }) => verdict !== 'already-wrong').length ?? 0;
  const rows = stages.map((stage) => {
    const figures = attackFigures(stage.records, norm);
    const { low, high } = figures.robustInterval;
    const access = attacks.find(({ declaration }) => declaration.id === stage.attackId)?.declaration.access ?? 'none';
    const foolSource = stage.records.filter(({ flags }) => flags.includes('fools-source'));
    const both = foolSource.filter(({ verdict }) => verdict === 'fooled').length;
    return {
      attack: stage.attackId,
      title: stage.title,
      access,
      isControl: stage.isControl,
      epsilon: stage.epsilon,
      robustAccuracy: figures.robustAccuracy,
      interval: [low, high] as [number, number],
      successRate: nullable(figures.successRate),
      foolingRate: figures.foolingRate,
      medianNorm: nullable(figures.medianNorm),
      meanQueries: nullable(figures.meanQueries),
      meanGradientCalls: nullable(figures.meanGradientCalls),
      attacked: stage.records.filter(({ verdict }) => verdict === 'fooled' || verdict === 'robust').length,
      transfer: access === 'transfer' ? { source: foolSource.length, both } : null,
    };
  });
  const under = (some: readonly Stage[], epsilon: number) => {
    const fallen = worstCase(some, epsilon, count).filter((stage) => stage !== undefined);
    const standing = right - fallen.length;
    const { low, high } = wilsonInterval(standing, count);
    return {
      fallen,
      figures: { epsilon, robustAccuracy: standing / count, interval: [low, high] as [number, number] },
    };
  };
  const worst = epsilons.map((each) => {
    const { fallen, figures } = under(stages, each);
    const first = new Map<string, number>();
    for (const stage of fallen) first.set(stage.title, (first.get(stage.title) ?? 0) + 1);
    return { ...figures, fallen: [...first].map(([attack, images]) => ({ attack, images })) };
  });
  const together = (['asking', 'transfer'] as const).flatMap((by) => {
    const ids = new Set(
      rows.filter((row) => !row.isControl && accessOf[by].includes(row.access)).map((row) => row.attack),
    );
    const some = stages.filter(({ attackId }) => ids.has(attackId));
    if (survivorsOnly || some.length === 0) return [];
    return epsilons.map((each) => ({ by, ...under(some, each).figures }));
  });
  const clean = wilsonInterval(right, count);
  return {
    role,
    title,
    count,
    cleanAccuracy: right / count,
    cleanInterval: [clean.low, clean.high],
    rows,
    worst,
    together,
  };
}

/** What is odd about a model before it is attacked. */
export async function firstDoubts(
  victim: Victim,
  { images, labels }: { readonly images: PickedImages; readonly labels: Int32Array },
  seed: number,
): Promise<string[]> {
  const few = await images.rows(0, Math.min(images.count, 256));
  const found = [...(await examineVictim(victim, few)), ...(await examineGradients(victim, few, labels, seed))];
  return found.map(({ message }) => message);
}

/** Doubts about the figures of single attacks; where attacks only saw survivors these cannot be compared. */
export function doubts(audit: ModelAudit, stages: readonly Stage[], survivorsOnly: boolean): Suspicion[] {
  return (survivorsOnly ? oddGradients : suspicionsOf)(
    stages.map((stage) => {
      const row = audit.rows.find(({ attack, epsilon }) => attack === stage.attackId && epsilon === stage.epsilon);
      return {
        attackId: stage.attackId,
        access: row?.access ?? 'none',
        isControl: stage.isControl,
        epsilon: stage.epsilon,
        robustAccuracy: row?.robustAccuracy ?? Number.NaN,
        records: stage.records,
      };
    }),
  );
}

/** What the worst case at an epsilon did: of each image its first adversarial one, else what it was before. */
export function worstFlips({ stages, still }: Pick<ModelStages, 'stages' | 'still'>, epsilon: number): Flips {
  const worst = worstCase(stages, epsilon, still.count);
  return pickFlips(still, (i) => ({ flips: worst[i]?.flips ?? still, row: i }));
}

const families: Readonly<Record<string, AttackFamily>> = {
  'white-box': 'white-box',
  score: 'black-box',
  decision: 'black-box',
  transfer: 'transfer',
  none: 'control',
};

/** A stage that is no part of the worst case: PGD told which class to reach, or how many steps to take. */
export interface BesideStage extends Stage {
  readonly family: 'targeted' | 'sweep';
  readonly steps: number | null;
}

/** A perturbation for all images, as far as severity needs it. */
export interface UniversalFlips {
  readonly kind: string;
  readonly title: string;
  readonly isControl: boolean;
  readonly epsilon: number;
  readonly flips: Flips;
}

export interface SeverityInput {
  readonly models: readonly ModelStages[];
  readonly audits: readonly ModelAudit[];
  readonly norm: 'linf' | 'l2' | 'l1';
  readonly epsilons: readonly number[];
  readonly survivorsOnly: boolean;
  readonly universal: readonly UniversalFlips[];
  /** PGD of the first model told which class to reach or how many steps to take; empty when it was not asked for. */
  readonly beside: readonly BesideStage[];
  readonly measures: readonly Dissimilarity[];
  readonly noSemantics: string | null;
  readonly cost: CostMatrix | undefined;
  readonly classNames: readonly string[];
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** The figures, and what they were made from. */
export interface SeverityFound {
  readonly data: SeverityData;
  readonly outcomes: readonly AttackOutcome[];
}

/** Severity of every attack on every model, the worst case and universal perturbations among them. */
export async function* severityOf(
  input: SeverityInput,
): AsyncGenerator<{ readonly done: number; readonly total: number }, SeverityFound, void> {
  const { signal, measures } = input;
  const outcomes = input.models.flatMap((model, i) => [
    ...attackOutcomes(model, input.audits[i], input),
    ...(i === 0 ? input.beside.map((stage) => besideOutcome(model, stage, input)) : []),
    ...(i === 0 ? input.universal.map((each) => universalOutcome(model, each)) : []),
  ]);
  const [first] = input.models;
  const count = first?.labels.length ?? 0;
  const resamples = drawResamples(count, stream(input.seed, 'severity'));
  const [leading] = measures;
  const rows: SeverityRow[] = [];
  for (const outcome of outcomes) {
    yield { done: rows.length, total: outcomes.length };
    rows.push(await heeding(summariseAttack(outcome, outcomes, { measures, cost: input.cost, resamples }), signal));
  }
  const [reference] = outcomes;
  const data: SeverityData = {
    classNames: [...input.classNames],
    measures: measures.map(({ name, title }) => ({ name, title })),
    noSemantics: input.noSemantics,
    rows,
    clean: first && reference ? cleanMistakes(first.labels, reference.flips, measures, resamples) : null,
    agreement: rankAgreements(rows),
    differences: leading ? await heeding(differenceSteps(outcomes, leading, resamples), signal) : [],
  };
  return { data, outcomes };
}

/** Takes a turn of the event loop between the steps, so that a cancel is heard. */
async function heeding<Result>(steps: Generator<undefined, Result, void>, signal: AbortSignal): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await setImmediate();
    signal.throwIfAborted();
  }
}

function attackOutcomes(
  model: ModelStages,
  audit: ModelAudit | undefined,
  { norm, epsilons, survivorsOnly }: SeverityInput,
): AttackOutcome[] {
  // What only saw survivors cannot be compared; the worst case is of all images.
  const single = survivorsOnly ? [] : model.stages;
  return [
    ...single.map((stage): AttackOutcome => {
      const row = audit?.rows.find(({ attack }) => attack === stage.attackId);
      const family = stage.isControl ? 'control' : (families[row?.access ?? ''] ?? 'white-box');
      const { attackId: attack, title, epsilon, flips } = stage;
      return { model: model.title, attack, title, family, norm, epsilon, steps: null, flips };
    }),
    ...epsilons.map((epsilon): AttackOutcome => ({
      model: model.title,
      attack: 'worst',
      title: 'Worst case',
      family: 'worst-case',
      norm,
      epsilon,
      steps: null,
      flips: worstFlips(model, epsilon),
    })),
  ];
}

function universalOutcome(
  { title: model }: ModelStages,
  { kind, title, isControl, epsilon, flips }: UniversalFlips,
): AttackOutcome {
  const family = isControl ? 'control' : 'universal';
  return { model, attack: kind, title, family, norm: 'linf', epsilon, steps: null, flips };
}

function besideOutcome(
  { title: model }: ModelStages,
  { title, epsilon, flips, steps, family }: BesideStage,
  { norm }: SeverityInput,
): AttackOutcome {
  return { model, attack: title, title, family, norm, epsilon, steps, flips };
}
