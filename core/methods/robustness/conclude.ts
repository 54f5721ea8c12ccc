import type { ResultMetrics } from '../../contract/run.ts';
import { worstCase } from '../../attacks/verdicts.ts';
import type { Victim } from '../../attacks/victim.ts';
import { wilsonInterval } from '../../metrics/intervals.ts';
import type { Flips } from '../../metrics/severity/flips.ts';
import { flipDissimilarity } from '../../metrics/severity/severity.ts';
import type { Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import type { AuditData, UniversalData } from '../../report/audit.ts';
import { leadingSeverity } from '../../report/audit-findings.ts';
import type { SeverityData } from '../../report/severity.ts';
import type { MethodEvent } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import type { Events } from '../events.ts';
import { writeAdversarial } from './adversarial.ts';
import { galleryTriplets, tripletGrid, universalGrid } from './artifacts.ts';
import type { Audit } from './audit.ts';
import { defenceText } from './defence.ts';
import { joinFlips, joinStages, stillFlips, type GroupJob, type GroupPlan, type Parts } from './groups.ts';
import { auditOf, doubts, severityOf, worstFlips, type BesideStage, type ModelStages } from './outcome.ts';
import type { spec } from './spec.ts';
import { flipsCsv, recordsCsv, severityCsv } from './tables.ts';
import { needsImages, universalTitles } from './universal.ts';

type Params = ParamsOf<typeof spec>;

/** A universal perturbation [C, H, W] and what it did to the answers for all audited images. */
export interface MadeUniversal {
  readonly kind: Params['universal'][number];
  readonly perturbation: Float32Array<ArrayBuffer>;
  readonly flips: Flips;
}

export interface Attacked extends Audit {
  readonly params: Params;
  readonly victim: Victim;
  readonly jobs: readonly GroupJob[];
  readonly plan: GroupPlan;
  readonly parts: Parts;
  readonly universal: readonly MadeUniversal[];
  readonly signal: AbortSignal;
  readonly scratch: string;
  readonly measures: readonly Dissimilarity[];
  readonly beside: readonly BesideStage[];
  readonly corruptions: AuditData['corruptions'];
  /** Found before the attacks. */
  readonly suspicions: readonly string[];
}

/** Figures, tables, pictures and files of a finished audit. */
export async function* concludeAudit(work: Attacked): Events<ResultMetrics> {
  const { params, plan, settled, images, labels, signal, scratch } = work;
  const models = work.models.map(({ role, model }): ModelStages => {
    const jobs = work.jobs.filter((job) => job.role === role);
    const stages = joinStages(jobs, plan, work.parts, images.size);
    const about = { count: labels.length, classes: model.classes, labels };
    const still = joinFlips(
      jobs.map((job) => stillFlips(job, plan)),
      about,
    );
    return { role, title: model.title, classes: model.classes, still, labels, stages };
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
  yield await recordsCsv(models, { scratch, signal });
  const gallery = yield* showGallery(work, first, measures);
  const epsilon = plan.epsilons.at(-1);
  const eightBit =
    epsilon === undefined || params.exported === 0
      ? null
      : yield* writeAdversarial({ ...work, norm: plan.norm, epsilon, stages: first.stages });
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
    remarks: [...work.remarks],
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
  const { params, plan, scratch, signal } = work;
  const steps = severityOf({
    models,
    audits,
    norm: plan.norm,
    epsilons: plan.epsilons,
    survivorsOnly: plan.survivorsOnly,
    universal: work.universal.map(({ kind, flips }) => ({
      kind,
      title: universalTitles[kind],
      isControl: kind === 'noise',
      epsilon: work.settled.universalEpsilon,
      flips,
    })),
    beside: work.beside,
    measures,
    noSemantics: work.noSemantics,
    cost: work.costs,
    classNames: work.classNames,
    seed: params.seed,
    signal,
  });
  for (;;) {
    const step = await steps.next();
    if (step.done) {
      const { data, outcomes } = step.value;
      yield json('severity', 'What the flips cost', data);
      yield severityCsv(data);
      yield await flipsCsv(outcomes, measures, work.indices, { scratch, signal });
      return data;
    }
    const { done, total } = step.value;
    yield { type: 'progress', phase: 'severity of the flips', step: done, totalSteps: total, fraction: 0.99 };
    signal.throwIfAborted();
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
  const flips = worstFlips(first, epsilon);
  const distances = leading
    ? flipDissimilarity(flips, leading.values)
    : Float64Array.from(flips.newRank, (rank) => rank - 1);
  const worst = worstCase(first.stages, epsilon, labels.length);
  const clean = (places: readonly number[]) => images.at(places);
  const triplets = await galleryTriplets({ worst, flips, distances, clean, classNames });
  if (triplets.length === 0) return null;
  const { event, magnified } = await tripletGrid(triplets, model.shape, [params.low, params.high]);
  yield event;
  return { epsilon, magnified, notes: triplets.map(({ note }) => note) };
}

async function* showUniversal(work: Attacked): Events<UniversalData | undefined> {
  const { universal, settled, labels, victim, params } = work;
  if (universal.length === 0) return undefined;
  const rows = universal.map(({ kind, perturbation, flips: { after, fooled } }) => {
    const changed = fooled.reduce((sum, flipped) => sum + flipped, 0);
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
