import { join } from 'node:path';
import { z } from 'zod';
import { WorkbenchError } from '../../base/errors.ts';
import type { Tensor } from '../../base/tensor.ts';
import { floatsOf, float32, tensor } from '../../base/tensor.ts';
import type { ResultMetrics } from '../../contract/run.ts';
import { openSpill, type Spill } from '../../data/spill.ts';
import type { Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import { fitTemperature, packFlips, recordFlips, unpackFlips, type Flips } from '../../metrics/severity/flips.ts';
import type { AuditData } from '../../report/audit.ts';
import { perturbed } from '../../attacks/universal/universal.ts';
import { openVictim, type Victim } from '../../attacks/victim.ts';
import { openLanes } from '../../runtime/lanes.ts';
import { pool } from '../../runtime/pool.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import { multiplyAdds } from '../../train/cost.ts';
import type { CheckpointState, Run } from '../context.ts';
import { stopIfAborted, type Events } from '../events.ts';
import { prepareAudit, type Audit } from './audit.ts';
import { measuresOf } from './appearance.ts';
import { cleanAnswers } from './clean-answers.ts';
import { besidePasses, corruptAll, CorruptionCounts, corruptionAccuracies, noCorruptions } from './beside.ts';
import { concludeAudit, type MadeUniversal } from './conclude.ts';
import {
  isDone,
  joinFlips,
  joinStages,
  partsCheckpoint,
  restoreParts,
  runGroup,
  type GroupJob,
  type GroupPlan,
  type Parts,
} from './groups.ts';
import { examplesSoFar } from './live.ts';
import { openLiveTables } from './live-tables.ts';
import { firstDoubts, type BesideStage } from './outcome.ts';
import { inPieces } from './images.ts';
import type { spec } from './spec.ts';
import { targetsOf } from './targets.ts';
import { makeUniversal, needsImages, universalTitles } from './universal.ts';

/** One process with the models in the hands of the attacker. */
interface Worker {
  readonly victims: ReadonlyMap<string, Victim>;
  readonly sources: readonly Victim[];
  readonly session: SessionOptions;
}

/** Everything that the phases share. */
interface Work extends Audit {
  readonly ctx: Parameters<Run<typeof spec>>[0];
  readonly workers: readonly Worker[];
  readonly first: Worker;
  /** Clean logits by role [N, K]. */
  readonly clean: ReadonlyMap<string, Float32Array>;
  readonly jobs: readonly GroupJob[];
  readonly plan: GroupPlan;
  readonly parts: Parts;
  readonly universal: MadeUniversal[];
  readonly corrupted: { counts: CorruptionCounts };
  readonly spill: Spill;
  /** Where a checkpoint says that parts keep their images. */
  readonly places: unknown;
}

/** What a checkpoint holds beside tensors. */
const Stored = z.object({ places: z.unknown(), corruptions: CorruptionCounts.optional() }).partial();

/** Worst case over attacks, what each flip costs, and universal perturbations (attacks.md, fooling-severity.md). */
export const run: Run<typeof spec> = async function* (ctx) {
  const resources: { close(): Promise<void> }[] = [];
  try {
    const audit = await prepareAudit(ctx, (resource) => resources.push(resource));
    for (const message of audit.messages) yield { type: 'log', level: 'info', message };
    for (const message of [...audit.leftOut, ...audit.remarks]) yield { type: 'log', level: 'warning', message };
    const workers = openWorkers(ctx, audit, resources);
    const [first] = workers;
    if (!first) throw new WorkbenchError('INTERNAL', 'An audit has at least one lane');
    const clean = yield* cleanAnswers(ctx, audit, (role) => victimOf(first, role));
    const spill = openSpill(join(ctx.scratch, 'adversarial.bin'), { isNew: ctx.resume === undefined });
    resources.push(spill);
    const work = startWork({ ...audit, ctx, workers, first, clean }, spill);
    try {
      return yield* phases(work);
    } catch (thrown) {
      // Whatever phase a cancel came in: what was done since the last checkpoint is kept.
      yield* stopIfAborted(ctx.signal, () => checkpoint(work, 'stopped'));
      throw thrown;
    }
  } finally {
    await Promise.all(resources.map((resource) => resource.close()));
  }
};

function startWork(given: Pick<Work, 'ctx' | 'workers' | 'first' | 'clean'> & Audit, spill: Spill): Work {
  const { params, resume } = given.ctx;
  const { jobs, plan } = cutIntoGroups(params, given, given.clean, spill);
  const stored = resume?.parts ?? {};
  const json = Stored.catch({}).parse(resume?.json);
  return {
    ...given,
    spill,
    jobs,
    plan,
    places: json.places,
    parts: restoreParts(jobs, plan, stored, json.places),
    universal: restoreUniversal(given, stored),
    corrupted: { counts: json.corruptions ?? noCorruptions(given) },
  };
}

async function* phases(work: Work): Events<ResultMetrics> {
  const { ctx, first, clean } = work;
  const victim = victimOf(first, 'victim');
  const suspicions = await firstDoubts(victim, work, ctx.params.seed);
  ctx.signal.throwIfAborted();
  yield* attackAll(work);
  const measures = ctx.params.severity
    ? await measuresOf(work, clean.get('victim') ?? new Float32Array(0), ctx.signal)
    : [];
  const beside = yield* attackBeside(work, measures[0]);
  yield* universalAll(work);
  const corruptions = ctx.params.corruptions ? yield* corrupt(work) : null;
  const { params, signal, scratch } = ctx;
  return yield* concludeAudit({ ...work, params, victim, suspicions, measures, beside, corruptions, signal, scratch });
}

function victimOf({ victims }: Worker, role: string): Victim {
  const victim = victims.get(role);
  if (victim) return victim;
  throw new WorkbenchError('INTERNAL', `The audit has no model "${role}"`);
}

/** Lanes of one thread each, so that bits do not hang on how many there are; on a GPU one is all it takes. */
function openWorkers(ctx: Work['ctx'], audit: Audit, resources: { close(): Promise<void> }[]): Worker[] {
  const { device, params, threads } = ctx;
  const count = device !== 'cpu' ? 1 : params.lanes === 0 ? threads : params.lanes;
  const bounds = [params.low, params.high] as const;
  return openLanes(count).map((lane) => {
    resources.push(lane);
    const session = { device, threads: 1, lane };
    const open = (model: Audit['models'][number]['model']): Victim => openVictim(model, { session, bounds });
    const { defence } = audit;
    const [source, ...others] = audit.sources;
    const by = params.fusion;
    return {
      victims: new Map(audit.models.map(({ role, model }) => [role, openVictim(model, { session, bounds, defence })])),
      sources:
        source && others.length > 0 && by !== 'each'
          ? [openVictim(source, { session, bounds, fused: { models: others, by } })]
          : audit.sources.map(open),
      session,
    };
  });
}

/** Multiply-adds of the longest attack on one group, about: some ten seconds. */
const groupWork = 4e11;

/** Groups small enough that little is lost when the run is killed; they follow from the model, never from the lanes. */
function cutIntoGroups(
  params: Work['ctx']['params'],
  audit: Audit,
  clean: ReadonlyMap<string, Float32Array>,
  spill: Spill,
): { jobs: GroupJob[]; plan: GroupPlan } {
  const { attacks, settled, labels, images, indices } = audit;
  const jobs = audit.models.flatMap(({ role, model }) => {
    const costs = attacks.map((attack) => attack.cost(model.classes));
    const longest = Math.max(...costs.map(({ forward, backward }) => forward + 2 * backward));
    const looks = audit.defence?.looks ?? 1;
    const one = looks * longest * Math.max(1, multiplyAdds(model.graph, [1, ...model.shape]));
    const rows = Math.max(8, Math.min(64, 2 ** Math.floor(Math.log2(Math.max(1, groupWork / one)))));
    const logits = clean.get(role) ?? new Float32Array(0);
    const targets = targetsOf(params.goal, logits, labels, indices, params.seed);
    return Array.from({ length: Math.ceil(labels.length / rows) }, (_, group): GroupJob => {
      const [from, to] = [group * rows, Math.min(labels.length, (group + 1) * rows)];
      return {
        role,
        group,
        images: () => images.rows(from, to),
        labels: labels.subarray(from, to),
        clean: logits.subarray(from * model.classes, to * model.classes),
        indices: indices.subarray(from, to),
        targets: targets?.subarray(from, to),
      };
    });
  });
  const { norm, survivorsOnly, seed } = params;
  const [first] = audit.models;
  const temperature =
    params.severity && params.temperatureScaling && first
      ? fitTemperature(clean.get(first.role) ?? new Float32Array(0), labels, first.model.classes)
      : 1;
  return { jobs, plan: { attacks, epsilons: settled.epsilons, norm, survivorsOnly, seed, temperature, spill } };
}

/** Share of the run that the attacks take, for the progress bar. */
const attackShare = 0.85;

async function* attackAll(work: Work): Events<void> {
  const { ctx, jobs, plan, parts, workers } = work;
  const weights = new Map(
    plan.attacks.map((attack) => {
      const { forward, backward } = attack.cost(work.models[0]?.model.classes ?? 2);
      return [attack.declaration.id, forward + 2 * backward] as const;
    }),
  );
  const weightOf = (id: string, images: number): number => (weights.get(id) ?? 1) * images;
  const total = jobs.reduce(
    (sum, job) =>
      sum + plan.epsilons.length * [...weights.keys()].reduce((s, id) => s + weightOf(id, job.labels.length), 0),
    0,
  );
  const [live, seen] = [openLiveTables(work), { groups: 0 }];
  for (const table of live.tables) yield { type: 'table', table };
  // What a checkpoint held already is said once more, which changes nothing.
  yield* live.advance();
  yield* examplesSoFar(work, seen);
  const left = jobs.filter((job) => !isDone(job, plan, parts));
  const doing = pool(workers, left, (job, worker) =>
    runGroup(job, plan, victimOf(worker, job.role), worker.sources, parts),
  );
  const doneWeight = (): number =>
    [...parts.values()].reduce((sum, part) => sum + weightOf(part.attackId, part.records.length), 0);
  for await (const said of untilAborted(doing, ctx.signal)) {
    if (said.part) yield* live.advance();
    if (said.part) yield* examplesSoFar(work, seen);
    const fraction = (attackShare * doneWeight()) / total;
    yield {
      type: 'progress',
      phase: 'attacks',
      step: parts.size,
      totalSteps: jobs.length * plan.attacks.length * plan.epsilons.length,
      fraction,
    };
    yield { type: 'checkpoint', capture: () => checkpoint(work, 'attacks') };
    ctx.signal.throwIfAborted();
  }
  yield* stopIfAborted(work.ctx.signal, () => checkpoint(work, 'attacks'));
}

/** The two ends of severity and other numbers of steps; their parts are kept like all others. */
async function* attackBeside(work: Work, measure: Dissimilarity | undefined): Events<BesideStage[]> {
  const { ctx, workers, parts } = work;
  const { severityBounds: bounds, stepCounts } = ctx.params;
  const passes = besidePasses(work.jobs, work.plan, work, { measure, bounds, stepCounts });
  for (const { jobs, plan } of passes) {
    for (const [key, part] of restoreParts(jobs, plan, ctx.resume?.parts ?? {}, work.places)) parts.set(key, part);
  }
  const total = passes.reduce((sum, { jobs }) => sum + jobs.length, 0);
  const doneOf = ({ jobs, plan }: (typeof passes)[number]): number =>
    jobs.filter((job) => isDone(job, plan, parts)).length;
  for (const { jobs, plan } of passes) {
    const left = jobs.filter((job) => !isDone(job, plan, parts));
    const doing = pool(workers, left, (job, worker) => runGroup(job, plan, victimOf(worker, 'victim'), [], parts));
    for await (const _ of untilAborted(doing, ctx.signal)) {
      const done = passes.reduce((sum, pass) => sum + doneOf(pass), 0);
      yield { type: 'progress', phase: 'severity', step: done, totalSteps: total, fraction: attackShare };
      yield { type: 'checkpoint', capture: () => checkpoint(work, 'severity') };
      ctx.signal.throwIfAborted();
    }
    yield* stopIfAborted(work.ctx.signal, () => checkpoint(work, 'severity'));
  }
  return passes.flatMap(({ jobs, plan, title, family, steps }) =>
    joinStages(jobs, plan, parts, work.images.size).map((stage) => ({ ...stage, title, family, steps })),
  );
}

async function* corrupt(work: Work): Events<AuditData['corruptions']> {
  const { ctx, corrupted, first } = work;
  const keep = (counts: CorruptionCounts): void => void (corrupted.counts = counts);
  const steps = corruptAll(work, (role) => victimOf(first, role), ctx.params.seed, corrupted.counts, keep);
  for await (const { done, total } of untilAborted(steps, ctx.signal)) {
    const fraction = 0.97 + (0.02 * done) / total;
    yield { type: 'progress', phase: 'corruptions', step: done, totalSteps: total, fraction };
    yield { type: 'checkpoint', capture: () => checkpoint(work, 'corruptions') };
    ctx.signal.throwIfAborted();
  }
  ctx.signal.throwIfAborted();
  return corruptionAccuracies(work, corrupted.counts);
}

async function* universalAll(work: Work): Events<void> {
  const { ctx, settled, models, first, rest } = work;
  const { params } = ctx;
  const [victimModel] = models;
  if (!victimModel) return;
  const victim = victimOf(first, 'victim');
  const kinds = [...new Set(params.universal)];
  for (const [place, kind] of kinds.entries()) {
    if (work.universal.some((made) => made.kind === kind)) continue;
    if (needsImages(kind) && rest.length === 0) {
      yield {
        type: 'log',
        level: 'warning',
        message: `${universalTitles[kind]} is left out: it needs images beyond the ${work.labels.length} audited ones, and there are none.`,
      };
      continue;
    }
    const making = makeUniversal(kind, victim, {
      epsilon: settled.universalEpsilon,
      seed: params.seed,
      images: rest,
      count: params.universalImages,
      steps: params.universalSteps,
      model: victimModel.model,
      session: first.session,
      now: ctx.now,
    });
    let perturbation: Float32Array<ArrayBuffer> | undefined;
    const steps = (async function* () {
      try {
        for (;;) {
          const step = await making.next();
          if (step.done) {
            perturbation = step.value;
            return;
          }
          yield step.value;
        }
      } finally {
        // A cancel ends what is under way on other lanes, too, before they are taken away.
        await making.return(new Float32Array(0));
      }
    })();
    for await (const { done, total } of untilAborted(steps, ctx.signal)) {
      const fraction = attackShare + ((0.97 - attackShare) * (place + done / total)) / kinds.length;
      yield { type: 'progress', phase: `universal: ${kind}`, step: done, totalSteps: total, fraction };
      yield { type: 'checkpoint', capture: () => checkpoint(work, 'universal') };
      ctx.signal.throwIfAborted();
    }
    yield* stopIfAborted(work.ctx.signal, () => checkpoint(work, 'universal'));
    if (!perturbation) continue;
    work.universal.push({ kind, perturbation, flips: await flipsUnder(work, victim, perturbation) });
  }
}

/** What a perturbation of all images does to the answers. */
async function flipsUnder(work: Work, victim: Victim, perturbation: Float32Array): Promise<Flips> {
  const { ctx, images, labels, clean, plan } = work;
  const { classes } = victim;
  const before = clean.get('victim') ?? new Float32Array(0);
  const pieces: Flips[] = [];
  for await (const { from, to, images: some } of inPieces(images, victim.batchSize, ctx.signal)) {
    const attacked = await victim.logits(perturbed(some, perturbation, victim.bounds));
    const about = { clean: before.subarray(from * classes, to * classes), labels: labels.subarray(from, to), classes };
    pieces.push(recordFlips({ ...about, attacked, temperature: plan.temperature }));
  }
  return joinFlips(pieces, { count: images.count, classes, labels });
}

function checkpoint(work: Work, phase: string): CheckpointState {
  const made = work.universal.flatMap(({ kind, perturbation, flips }) => {
    const packed = packFlips(flips);
    return [
      [`universal/${kind}/perturbation`, float32([perturbation.length], perturbation)] as const,
      [`universal/${kind}/flips`, tensor('float64', [packed.length], packed)] as const,
    ];
  });
  const { tensors, places } = partsCheckpoint(work.parts, work.spill);
  return {
    phase,
    step: work.parts.size + work.universal.length,
    json: { places, corruptions: work.corrupted.counts },
    tensors: {},
    parts: { ...tensors, ...Object.fromEntries(made) },
  };
}

function restoreUniversal(
  { ctx, models, labels }: Pick<Work, 'ctx' | 'models' | 'labels'>,
  stored: Readonly<Record<string, Tensor>>,
): MadeUniversal[] {
  return [...new Set(ctx.params.universal)].flatMap((kind) => {
    const perturbation = stored[`universal/${kind}/perturbation`];
    const packed = stored[`universal/${kind}/flips`]?.data;
    if (!perturbation || !(packed instanceof Float64Array)) return [];
    const flips = unpackFlips(packed, models[0]?.model.classes ?? 0, labels);
    return flips ? [{ kind, perturbation: floatsOf(perturbation), flips }] : [];
  });
}
