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
import { recordFlips } from '../../metrics/severity/flips.ts';
import { drawResamples } from '../../metrics/severity/resampling.ts';
import {
  cleanMistakes,
  rankAgreements,
  severityDifferences,
  summariseAttack,
  type AttackFamily,
  type AttackOutcome,
  type SeverityRow,
} from '../../metrics/severity/summary.ts';
import type { AuditData } from '../../report/audit.ts';
import type { SeverityData } from '../../report/severity.ts';
import type { Stage } from './groups.ts';

type ModelAudit = AuditData['models'][number];

/** Everything of one audited model once its attacks are done. */
export interface ModelStages {
  readonly role: string;
  readonly title: string;
  readonly classes: number;
  /** Clean logits [N, K]. */
  readonly clean: Float32Array;
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
  { images, labels }: { readonly images: Float32Array; readonly labels: Int32Array },
  seed: number,
): Promise<string[]> {
  const found = [...(await examineVictim(victim, images)), ...(await examineGradients(victim, images, labels, seed))];
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

/** Logits [N, K] of the worst case at an epsilon: of the first adversarial image, else of the clean one. */
export function worstLogits(
  { stages, clean, classes, labels }: Pick<ModelStages, 'stages' | 'clean' | 'classes' | 'labels'>,
  epsilon: number,
): Float32Array {
  const logits = Float32Array.from(clean);
  worstCase(stages, epsilon, labels.length).forEach((stage, i) => {
    if (stage) logits.set(stage.logits.subarray(i * classes, (i + 1) * classes), i * classes);
  });
  return logits;
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
export interface UniversalLogits {
  readonly kind: string;
  readonly title: string;
  readonly isControl: boolean;
  readonly epsilon: number;
  readonly logits: Float32Array;
}

export interface SeverityInput {
  readonly models: readonly ModelStages[];
  readonly audits: readonly ModelAudit[];
  readonly norm: 'linf' | 'l2' | 'l1';
  readonly epsilons: readonly number[];
  readonly survivorsOnly: boolean;
  readonly universal: readonly UniversalLogits[];
  /** PGD of the first model told which class to reach or how many steps to take; empty when it was not asked for. */
  readonly beside: readonly BesideStage[];
  readonly measures: readonly Dissimilarity[];
  readonly noSemantics: string | null;
  readonly cost: CostMatrix | undefined;
  readonly classNames: readonly string[];
  readonly temperature: number;
  readonly seed: number;
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
  const outcomes = input.models.flatMap((model, i) => [
    ...attackOutcomes(model, input.audits[i], input),
    ...(i === 0 ? input.beside.map((stage) => besideOutcome(model, stage, input)) : []),
    ...(i === 0 ? input.universal.map((each) => universalOutcome(model, each, input)) : []),
  ]);
  const [first] = input.models;
  const count = first?.labels.length ?? 0;
  const resamples = drawResamples(count, stream(input.seed, 'severity'));
  const [leading] = input.measures;
  const rows: SeverityRow[] = [];
  for (const outcome of outcomes) {
    // A turn of the event loop, so that a cancel is heard.
    await setImmediate();
    yield { done: rows.length, total: outcomes.length };
    rows.push(summariseAttack(outcome, outcomes, { measures: input.measures, cost: input.cost, resamples }));
  }
  const [reference] = outcomes;
  const data: SeverityData = {
    classNames: [...input.classNames],
    measures: input.measures.map(({ name, title }) => ({ name, title })),
    noSemantics: input.noSemantics,
    rows,
    clean: first && reference ? cleanMistakes(first.labels, reference.flips, input.measures, resamples) : null,
    agreement: rankAgreements(rows),
    differences: leading ? severityDifferences(outcomes, leading, resamples) : [],
  };
  return { data, outcomes };
}

function attackOutcomes(
  model: ModelStages,
  audit: ModelAudit | undefined,
  { norm, epsilons, survivorsOnly, temperature }: SeverityInput,
): AttackOutcome[] {
  const { clean, labels, classes } = model;
  const flips = (attacked: Float32Array) => recordFlips({ clean, attacked, labels, classes, temperature });
  // What only saw survivors cannot be compared; the worst case is of all images.
  const single = survivorsOnly ? [] : model.stages;
  return [
    ...single.map((stage): AttackOutcome => {
      const row = audit?.rows.find(({ attack }) => attack === stage.attackId);
      const family = stage.isControl ? 'control' : (families[row?.access ?? ''] ?? 'white-box');
      const { attackId: attack, title, epsilon } = stage;
      return { model: model.title, attack, title, family, norm, epsilon, steps: null, flips: flips(stage.logits) };
    }),
    ...epsilons.map((epsilon): AttackOutcome => ({
      model: model.title,
      attack: 'worst',
      title: 'Worst case',
      family: 'worst-case',
      norm,
      epsilon,
      steps: null,
      flips: flips(worstLogits(model, epsilon)),
    })),
  ];
}

function universalOutcome(
  { title: model, clean, labels, classes }: ModelStages,
  { kind, title, isControl, epsilon, logits }: UniversalLogits,
  { temperature }: SeverityInput,
): AttackOutcome {
  return {
    model,
    attack: kind,
    title,
    family: isControl ? 'control' : 'universal',
    norm: 'linf',
    epsilon,
    steps: null,
    flips: recordFlips({ clean, attacked: logits, labels, classes, temperature }),
  };
}

function besideOutcome(
  { title: model, clean, labels, classes }: ModelStages,
  { title, epsilon, logits, steps, family }: BesideStage,
  { norm, temperature }: SeverityInput,
): AttackOutcome {
  const flips = recordFlips({ clean, attacked: logits, labels, classes, temperature });
  return { model, attack: title, title, family, norm, epsilon, steps, flips };
}
