import type { ResultMetrics } from '../../contract/run.ts';
import { quantised } from '../../attacks/unit.ts';
import { worstCase } from '../../attacks/verdicts.ts';
import type { Victim } from '../../attacks/victim.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import { wilsonInterval } from '../../metrics/intervals.ts';
import { fitTemperature, recordFlips } from '../../metrics/severity/flips.ts';
import { flipDissimilarity } from '../../metrics/severity/severity.ts';
import type { Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import type { AuditData, UniversalData } from '../../report/audit.ts';
import { leadingSeverity } from '../../report/audit-findings.ts';
import type { SeverityData } from '../../report/severity.ts';
import type { MethodEvent } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import type { Events } from '../events.ts';
import {
  adversarialFile,
  adversarialPngs,
  galleryTriplets,
  tripletGrid,
  universalGrid,
  type Kept,
} from './artifacts.ts';
import type { Audit } from './audit.ts';
import { defenceText } from './defence.ts';
import { joinStages, type GroupJob, type GroupPlan, type Parts } from './groups.ts';
import { auditOf, doubts, severityOf, worstLogits, type BesideStage, type ModelStages } from './outcome.ts';
import type { spec } from './spec.ts';
import { flipsCsv, recordsCsv, severityCsv } from './tables.ts';
import { needsImages, universalTitles } from './universal.ts';

type Params = ParamsOf<typeof spec>;

/** A universal perturbation [C, H, W] and what the victim says of all audited images under it [N, K]. */
export interface MadeUniversal {
  readonly kind: Params['universal'][number];
  readonly perturbation: Float32Array<ArrayBuffer>;
  readonly logits: Float32Array<ArrayBuffer>;
}

export interface Attacked extends Audit {
  readonly params: Params;
  readonly victim: Victim;
  readonly clean: ReadonlyMap<string, Float32Array>;
  readonly jobs: readonly GroupJob[];
  readonly plan: GroupPlan;
  readonly parts: Parts;
  readonly universal: readonly MadeUniversal[];
  readonly signal: AbortSignal;
  readonly measures: readonly Dissimilarity[];
  readonly beside: readonly BesideStage[];
  readonly corruptions: AuditData['corruptions'];
  /** Found before the attacks. */
  readonly suspicions: readonly string[];
}

/** Figures, tables, pictures and files of a finished audit. */
export async function* concludeAudit(work: Attacked): Events<ResultMetrics> {
  const { params, plan, settled, images, labels } = work;
  const models = work.models.map(({ role, model }): ModelStages => {
    const groups = work.jobs.filter((job) => job.role === role).map((job) => job.labels.length);
    const stages = joinStages(role, groups, plan, work.parts, images.length / labels.length);
    const clean = work.clean.get(role) ?? new Float32Array(0);
    return { role, title: model.title, classes: model.classes, clean, labels, stages };
  });
  const [first] = models;
  if (!first) return {};
  const audits = models.map((model) => auditOf(model, plan.attacks, plan.epsilons, plan.norm, plan.survivorsOnly));
  const suspicions = [
    ...work.suspicions,
    ...models.flatMap((model, i) => {
      const audit = audits[i];
      const found = audit ? doubts(audit, model.stages, plan.survivorsOnly) : [];
      return found.map(({ message }) => (models.length > 1 ? `${model.title}: ${message}` : message));
    }),
  ];
  for (const message of suspicions) yield { type: 'log', level: 'warning', message };
  const { measures } = work;
  const severity = params.severity ? yield* severityData(work, models, audits, measures) : undefined;
  yield recordsCsv(models);
  const gallery = yield* showGallery(work, first, measures);
  const eightBit = yield* writeAdversarial(work, first);
  const universal = yield* showUniversal(work);
  const audit: AuditData = {
    preset: settled.preset,
    dataTitle: work.dataTitle,
    norm: plan.norm,
    epsilons: [...plan.epsilons],
    survivorsOnly: plan.survivorsOnly,
    goal: params.goal,
    seed: params.seed,
    attacks: plan.attacks.map((attack) => {
      const { id, title, access, isControl = false } = attack.declaration;
      return { id, title, access, isControl, options: { ...attack.options }, ...attack.cost(first.classes) };
    }),
    models: audits,
    suspicions,
    leftOut: [...work.leftOut],
    defence: defenceText(work.defence),
    eightBit,
    corruptions: work.corruptions,
    gallery,
  };
  yield json('audit', 'Accuracy under every attack', audit);
  return results(audit, severity, universal, eightBit, suspicions.length);
}

const json = (name: string, title: string, value: unknown): MethodEvent => ({
  type: 'artifact',
  name,
  title,
  content: { json: value },
});

async function* severityData(
  work: Attacked,
  models: readonly ModelStages[],
  audits: AuditData['models'],
  measures: readonly Dissimilarity[],
): Events<SeverityData> {
  const { params, plan } = work;
  const [first] = models;
  const temperature = params.temperatureScaling && first ? fitTemperature(first.clean, first.labels, first.classes) : 1;
  const steps = severityOf({
    models,
    audits,
    norm: plan.norm,
    epsilons: plan.epsilons,
    survivorsOnly: plan.survivorsOnly,
    universal: work.universal.map(({ kind, logits }) => ({
      kind,
      title: universalTitles[kind],
      isControl: kind === 'noise',
      epsilon: work.settled.universalEpsilon,
      logits,
    })),
    beside: work.beside,
    measures,
    noSemantics: work.noSemantics,
    cost: work.costs,
    classNames: work.classNames,
    temperature,
    seed: params.seed,
  });
  for (;;) {
    const step = await steps.next();
    if (step.done) {
      const { data, outcomes } = step.value;
      yield json('severity', 'What the flips cost', data);
      yield severityCsv(data);
      yield flipsCsv(outcomes, measures, work.indices);
      return data;
    }
    const { done, total } = step.value;
    yield { type: 'progress', phase: 'severity of the flips', step: done, totalSteps: total, fraction: 0.99 };
    work.signal.throwIfAborted();
  }
}

/** Examples at the smallest epsilon at which ten images fell, else at the largest. */
async function* showGallery(
  { params, plan, images, labels, classNames, models }: Attacked,
  first: ModelStages,
  [leading]: readonly Dissimilarity[],
): Events<AuditData['gallery']> {
  const fallen = (epsilon: number): number =>
    worstCase(first.stages, epsilon, labels.length).filter((stage) => stage !== undefined).length;
  const epsilon = plan.epsilons.find((each) => fallen(each) >= 10) ?? plan.epsilons.at(-1);
  const model = models[0]?.model;
  if (epsilon === undefined || !model || fallen(epsilon) === 0) return null;
  const flips = recordFlips({
    clean: first.clean,
    attacked: worstLogits(first, epsilon),
    labels,
    classes: first.classes,
  });
  const distances = leading
    ? flipDissimilarity(flips, leading.values)
    : Float64Array.from(flips.newRank, (rank) => rank - 1);
  const worst = worstCase(first.stages, epsilon, labels.length);
  const triplets = galleryTriplets({ worst, flips, distances, images, classNames });
  if (triplets.length === 0) return null;
  const { event, magnified } = await tripletGrid(triplets, model.shape, [params.low, params.high]);
  yield event;
  return { epsilon, magnified, notes: triplets.map(({ note }) => note) };
}

/** The worst case at the largest epsilon as files; PNG only of what still fools the model once rounded. */
async function* writeAdversarial(work: Attacked, first: ModelStages): Events<AuditData['eightBit']> {
  const { params, plan, images, labels, indices, victim } = work;
  const epsilon = plan.epsilons.at(-1);
  if (epsilon === undefined || params.exported === 0) return null;
  const { size } = victim;
  const kept = worstCase(first.stages, epsilon, labels.length)
    .flatMap((stage, i): Kept[] => {
      const image = stage?.adversarial.get(i);
      const record = stage?.records[i];
      if (!stage || !image || !record) return [];
      const clean = images.subarray(i * size, (i + 1) * size);
      const { attackId } = stage;
      return [{ index: indices[i] ?? i, label: record.label, reached: record.reached, attackId, clean, image }];
    })
    .slice(0, params.exported);
  if (kept.length === 0) return null;
  yield adversarialFile(kept, victim.model.shape, epsilon);
  const [channels] = victim.model.shape;
  const isUnit = params.low === 0 && params.high === 1;
  if (plan.norm !== 'linf' || !isUnit || (channels !== 1 && channels !== 3)) return null;
  const joined = (pick: (one: Kept) => Float32Array): Float32Array<ArrayBuffer> => {
    const rows = new Float32Array(kept.length * size);
    kept.forEach((one, i) => rows.set(pick(one), i * size));
    return rows;
  };
  const rounded = await quantised(
    victim,
    joined(({ image }) => image),
    joined(({ clean }) => clean),
    epsilon,
  );
  const answers = argmaxRows(rounded.logits, victim.classes);
  const still = kept.flatMap((one, i) =>
    answers[i] === one.label
      ? []
      : [{ ...one, reached: answers[i]!, image: rounded.images.subarray(i * size, (i + 1) * size) }],
  );
  if (still.length > 0) yield await adversarialPngs(still, victim.model.shape);
  return { epsilon, count: kept.length, stillFooled: still.length };
}

async function* showUniversal(work: Attacked): Events<UniversalData | undefined> {
  const { universal, settled, labels, victim, clean, params } = work;
  if (universal.length === 0) return undefined;
  const before = argmaxRows(clean.get('victim') ?? new Float32Array(0), victim.classes);
  const rows = universal.map(({ kind, perturbation, logits }) => {
    const after = argmaxRows(logits, victim.classes);
    const changed = before.reduce((sum, answer, i) => sum + Number(answer !== after[i]), 0);
    const right = after.reduce((sum, answer, i) => sum + Number(answer === labels[i]), 0);
    const { low, high } = wilsonInterval(changed, labels.length);
    return {
      kind,
      title: universalTitles[kind],
      isControl: kind === 'noise',
      isDataFree: kind !== 'noise' && !needsImages(kind) && (kind !== 'gd-uap-range' || work.rest.length === 0),
      foolingRate: changed / labels.length,
      interval: [low, high] as [number, number],
      accuracy: right / labels.length,
      largest: perturbation.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    };
  });
  const { event, magnified } = await universalGrid(
    universal.map(({ perturbation }) => perturbation),
    rows.map(({ title }) => title),
    victim.model.shape,
    settled.universalEpsilon,
    [params.low, params.high],
  );
  yield event;
  const data: UniversalData = { count: labels.length, epsilon: settled.universalEpsilon, magnified, rows };
  yield json('universal', 'Universal perturbations', data);
  return data;
}

/** Right without an attack, wrong in the worst case. */
const fallenCount = (model: AuditData['models'][number], worst: { readonly robustAccuracy: number }): number =>
  Math.round((model.cleanAccuracy - worst.robustAccuracy) * model.count);

function results(
  audit: AuditData,
  severity: SeverityData | undefined,
  universal: UniversalData | undefined,
  eightBit: AuditData['eightBit'],
  suspicions: number,
): ResultMetrics {
  const [model] = audit.models;
  const [smallest] = model?.worst ?? [];
  const largest = model?.worst.at(-1);
  const row = severity?.rows.find(
    (each) => each.attack === 'worst' && each.epsilon === smallest?.epsilon && each.model === model?.title,
  );
  const attacks = universal?.rows.filter(({ isControl }) => !isControl) ?? [];
  return {
    robustAccuracy: smallest?.robustAccuracy ?? null,
    robustAccuracyLargest: largest?.robustAccuracy ?? null,
    cleanAccuracy: model?.cleanAccuracy ?? null,
    foolingRate: row?.metrics['foolingRate']?.value ?? null,
    severity: leadingSeverity(severity, audit)?.value ?? null,
    universalFoolingRate: attacks.length === 0 ? null : Math.max(...attacks.map(({ foolingRate }) => foolingRate)),
    noiseFoolingRate: universal?.rows.find(({ isControl }) => isControl)?.foolingRate ?? null,
    eightBitRobustAccuracy:
      eightBit && largest && model && eightBit.count === fallenCount(model, largest)
        ? largest.robustAccuracy + (eightBit.count - eightBit.stillFooled) / model.count
        : null,
    suspicions,
  };
}
