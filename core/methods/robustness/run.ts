import { WorkbenchError } from '../../base/errors.ts';
import type { Tensor } from '../../base/tensor.ts';
import { floatsOf, float32 } from '../../base/tensor.ts';
import type { Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import type { AuditData } from '../../report/audit.ts';
import { answersOf, perturbed } from '../../attacks/universal/universal.ts';
import { openVictim, type Victim } from '../../attacks/victim.ts';
import { openLanes } from '../../runtime/lanes.ts';
import { pool } from '../../runtime/pool.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import { multiplyAdds } from '../../train/cost.ts';
import type { CheckpointState, Run } from '../context.ts';
import { stopIfAborted, type Events } from '../events.ts';
import { prepareAudit, type Audit } from './audit.ts';
import { besidePasses, corruptAll, measuresOf } from './beside.ts';
import { concludeAudit, type MadeUniversal } from './conclude.ts';
import {
  isDone,
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
import { sanityMeter } from './setup.ts';
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
}

/** Worst case over attacks, what each flip costs, and universal perturbations (attacks.md, fooling-severity.md). */
export const run: Run<typeof spec> = async function* (ctx) {
  const resources: { close(): Promise<void> }[] = [];
  try {
    const audit = await prepareAudit(ctx, (resource) => resources.push(resource));
    for (const message of audit.messages) yield { type: 'log', level: 'info', message };
    for (const message of audit.leftOut) yield { type: 'log', level: 'warning', message };
    const workers = openWorkers(ctx, audit, resources);
    const [first] = workers;
    if (!first) throw new WorkbenchError('INTERNAL', 'An audit has at least one lane');
    const clean = yield* cleanAnswers(ctx, audit, first);
    const { jobs, plan } = cutIntoGroups(ctx.params, audit, clean);
    const stored = ctx.resume?.parts ?? {};
    const work: Work = {
      ...audit,
      ctx,
      workers,
      first,
      clean,
      jobs,
      plan,
      parts: restoreParts(jobs, plan, stored),
      universal: restoreUniversal(ctx.params.universal, stored),
    };
    const suspicions = await firstDoubts(victimOf(first, 'victim'), audit, ctx.params.seed);
    yield* attackAll(work);
    const measures = ctx.params.severity ? await measuresOf(audit, clean.get('victim') ?? new Float32Array(0)) : [];
    const beside = yield* attackBeside(work, measures[0]);
    yield* universalAll(work);
    const corruptions = ctx.params.corruptions ? yield* corrupt(work) : null;
    const victim = victimOf(first, 'victim');
    return yield* concludeAudit({
      ...work,
      params: ctx.params,
      victim,
      suspicions,
      measures,
      beside,
      corruptions,
      signal: ctx.signal,
    });
  } finally {
    await Promise.all(resources.map((resource) => resource.close()));
  }
};

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

/** What the models answer without an attack; says what may be wrong where they answer as badly as chance. */
async function* cleanAnswers(ctx: Work['ctx'], audit: Audit, worker: Worker): Events<Map<string, Float32Array>> {
  const { labels, images, classNames } = audit;
  const clean = new Map<string, Float32Array>();
  for (const { role, model } of audit.models) {
    const victim = victimOf(worker, role);
    const logits = await victim.logits(images);
    clean.set(role, logits);
    const answers = await answersOf(victim, images);
    const right = answers.reduce((sum, answer, i) => sum + Number(answer === labels[i]), 0);
    const isChance = right <= (1.5 / model.classes) * labels.length;
    if (!isChance && right >= labels.length / 2) continue;
    const size = images.length / labels.length;
    const some = Math.min(200, labels.length);
    const meter = await sanityMeter(images.subarray(0, some * size), labels.subarray(0, some), model, (x) =>
      victim.logits(x),
    );
    const readings = meter.map(({ title, accuracy }) => `${title} ${(100 * accuracy).toFixed(1)} %`).join(', ');
    const message = `${model.title} answers ${right} of ${labels.length} images rightly${isChance ? ', which is no better than chance' : ''}. Right answers with pixels read ${readings}`;
    const hint = `The class order or the pre-processing is ${isChance ? 'probably' : 'possibly'} wrong: compare the readings, give mean and deviation with the model, or correct the labels.`;
    if (right === 0) throw new WorkbenchError('DATA_UNSUITABLE', message, { hint, details: { meter } });
    yield { type: 'log', level: 'warning', message: `${message}. ${hint}` };
  }
  const present = new Set(labels);
  if (present.size === 1) {
    const only = classNames[labels[0] ?? 0] ?? '';
    yield {
      type: 'log',
      level: 'warning',
      message: `All ${labels.length} images have the class ${only}: the figures hold for it alone, and measures from class means are left out.`,
    };
  }
  ctx.signal.throwIfAborted();
  return clean;
}

/** Multiply-adds of the longest attack on one group, about: some ten seconds. */
const groupWork = 4e11;

/** Groups small enough that little is lost when the run is killed; they follow from the model, never from the lanes. */
function cutIntoGroups(
  params: Work['ctx']['params'],
  audit: Audit,
  clean: ReadonlyMap<string, Float32Array>,
): { jobs: GroupJob[]; plan: GroupPlan } {
  const { attacks, settled, labels, images, indices } = audit;
  const size = images.length / labels.length;
  const jobs = audit.models.flatMap(({ role, model }) => {
    const costs = attacks.map((attack) => attack.cost(model.classes));
    const longest = Math.max(...costs.map(({ forward, backward }) => forward + 2 * backward));
    const looks = audit.defence?.looks ?? 1;
    const one = looks * longest * Math.max(1, multiplyAdds(model.graph, [1, ...model.shape]));
    const rows = Math.max(8, Math.min(64, 2 ** Math.floor(Math.log2(Math.max(1, groupWork / one)))));
    const targets = targetsOf(params.goal, clean.get(role) ?? new Float32Array(0), labels, indices, params.seed);
    return Array.from({ length: Math.ceil(labels.length / rows) }, (_, group): GroupJob => {
      const [from, to] = [group * rows, Math.min(labels.length, (group + 1) * rows)];
      return {
        role,
        group,
        images: images.subarray(from * size, to * size),
        labels: labels.subarray(from, to),
        indices: indices.subarray(from, to),
        targets: targets?.subarray(from, to),
      };
    });
  });
  const { norm, survivorsOnly, seed } = params;
  return { jobs, plan: { attacks, epsilons: settled.epsilons, norm, survivorsOnly, seed } };
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
    for (const [key, part] of restoreParts(jobs, plan, ctx.resume?.parts ?? {})) parts.set(key, part);
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
  const groups = work.jobs.filter(({ role }) => role === 'victim').map(({ labels }) => labels.length);
  const size = work.images.length / work.labels.length;
  return passes.flatMap(({ role, plan, title, family, steps }) =>
    joinStages(role, groups, plan, parts, size).map((stage) => ({ ...stage, title, family, steps })),
  );
}

async function* corrupt(work: Work): Events<AuditData['corruptions']> {
  const steps = corruptAll(work, (role) => victimOf(work.first, role), work.ctx.params.seed);
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
    const { done, total } = step.value;
    const fraction = 0.97 + (0.02 * done) / total;
    yield { type: 'progress', phase: 'corruptions', step: done, totalSteps: total, fraction };
    yield { type: 'checkpoint', capture: () => checkpoint(work, 'corruptions') };
    work.ctx.signal.throwIfAborted();
  }
}

async function* universalAll(work: Work): Events<void> {
  const { ctx, settled, models, first, images, rest } = work;
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
      for (;;) {
        const step = await making.next();
        if (step.done) {
          perturbation = step.value;
          return;
        }
        yield step.value;
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
    const logits = await victim.logits(perturbed(images, perturbation, victim.bounds));
    work.universal.push({ kind, perturbation, logits });
  }
}

function checkpoint(work: Work, phase: string): CheckpointState {
  const made = work.universal.flatMap(({ kind, perturbation, logits }) => [
    [`universal/${kind}/perturbation`, float32([perturbation.length], perturbation)] as const,
    [`universal/${kind}/logits`, float32([logits.length], logits)] as const,
  ]);
  return {
    phase,
    step: work.parts.size + work.universal.length,
    json: {},
    tensors: {},
    parts: { ...partsCheckpoint(work.parts), ...Object.fromEntries(made) },
  };
}

function restoreUniversal(
  kinds: Work['ctx']['params']['universal'],
  stored: Readonly<Record<string, Tensor>>,
): MadeUniversal[] {
  return [...new Set(kinds)].flatMap((kind) => {
    const perturbation = stored[`universal/${kind}/perturbation`];
    const logits = stored[`universal/${kind}/logits`];
    return perturbation && logits ? [{ kind, perturbation: floatsOf(perturbation), logits: floatsOf(logits) }] : [];
  });
}
