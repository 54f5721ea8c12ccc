import { z } from 'zod';
import { WorkbenchError } from '../../base/errors.ts';
import type { ResultMetrics } from '../../contract/run.ts';
import type { ImageSet } from '../../data/dataset.ts';
import { openLanes } from '../../runtime/lanes.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import { armsCheckpoint, restoreArms, type Arm, type ArmStates } from '../../train/arms.ts';
import { classNamesOf, openFitting } from '../../train/inputs.ts';
import { openModel, openModelFile, type OpenedModel } from '../../train/models.ts';
import type { CheckpointState, Run, RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import { distillArms } from '../distill-arms.ts';
import { stopIfAborted, type Events } from '../events.ts';
import { equalQuotas } from './balance.ts';
import { openPool, type Pool } from './pool.ts';
import type { TransferSetsData } from './report.ts';
import { newScan, restoreScan, scanCheckpoint, scanPool, type Scan } from './scan.ts';
import { scoreArms } from './score.ts';
import { armCount, transferArms } from './setup.ts';
import type { spec } from './spec.ts';
import {
  checkFeasible,
  choosePair,
  describePair,
  isEnough,
  pairWarnings,
  sampleGrid,
  scanLimit,
  transferIndex,
  type SetPair,
} from './transfer-sets.ts';

type Params = ParamsOf<typeof spec>;

/** What a checkpoint of this method says beside its tensors. */
const Resumed = z.object({
  scans: z.array(z.object({ count: z.int(), isDone: z.boolean() })),
  arms: z.array(z.object({ name: z.string(), step: z.int(), isDone: z.boolean(), agreement: z.number() })),
});

interface RepeatScan {
  readonly scan: Scan;
  isDone: boolean;
}

/** Everything that the phases share. */
interface Work {
  readonly ctx: RunContext<Params>;
  readonly teacher: OpenedModel;
  readonly students: readonly OpenedModel[];
  readonly pool: Pool;
  readonly test: ImageSet | undefined;
  readonly real: ImageSet | undefined;
  readonly classNames: readonly string[];
  /** For what runs one thing at a time. */
  readonly session: SessionOptions;
  /** One for each repeat that was begun. */
  readonly scans: RepeatScan[];
  readonly arms: ArmStates;
}

/** Balanced and unbalanced transfer sets from a pool, a student of each, and the difference (arbitrary-transfer-sets.md). */
export const run: Run<typeof spec> = async function* (ctx) {
  const resources: { close(): Promise<void> }[] = [];
  const keep: Keep = (resource) => {
    if (resource) resources.push(resource);
    return resource;
  };
  try {
    const work = yield* prepare(ctx, keep);
    const { pairs, figures } = yield* drawSets(work);
    const arms = await transferArms({ ...work, params: ctx.params, pairs, signal: ctx.signal });
    yield* trainStudents(work, arms, keep);
    const scores = yield* scoreArms({ ...work, params: ctx.params, signal: ctx.signal }, arms);
    return { ...figures, ...scores };
  } finally {
    await Promise.all(resources.map((resource) => resource.close()));
  }
};

type Keep = <T extends { close(): Promise<void> } | undefined>(resource: T) => T;

async function* prepare(ctx: Work['ctx'], keep: Keep): Events<Work> {
  const { params, models, data } = ctx;
  const teacher = await openTeacher(models['teacher']);
  checkFeasible(params, teacher);
  const { shape, classes } = teacher;
  const students: OpenedModel[] = [];
  for (let repeat = 0; repeat < params.repeats; repeat++) {
    students.push(
      await openModel(studentOf(models['student']), 'student', { shape, classes, seed: params.seed + repeat }),
    );
  }
  const pool = keep(await openPool(params, data['pool'], teacher));
  const test = keep(data['test'] && (await openFitting(data['test'], 'test', teacher, 'required')));
  const real = keep(data['real'] && (await openFitting(data['real'], 'real', teacher, 'unused')));
  const size = Number.isFinite(pool.size) ? `${pool.size} images` : 'made as they are looked at';
  yield {
    type: 'log',
    level: 'info',
    message: `Teacher ${teacher.title}: images ${shape.join(' × ')}, ${classes} classes. Pool: ${pool.title}, ${size}; order and images follow from seed ${params.seed}`,
  };
  if (teacher.description.usesBatchStatistics) {
    yield {
      type: 'log',
      level: 'warning',
      message: `${teacher.title} was exported in training mode; it is used in inference mode, with the running statistics of its file.`,
    };
  }
  const { resume } = ctx;
  const resumed = resume && Resumed.parse(resume.json);
  return {
    ctx,
    teacher,
    students,
    pool,
    test,
    real,
    classNames: classNamesOf(teacher, test, real),
    session: { device: ctx.device, threads: ctx.threads },
    scans: (resumed?.scans ?? []).map(({ count, isDone }, repeat) => ({
      scan: restoreScan(count, classes, scanName(repeat), resume?.tensors ?? {}, resume?.parts ?? {}),
      isDone,
    })),
    arms: restoreArms(resumed?.arms ?? [], resume?.tensors ?? {}),
  };
}

type ModelGiven = Work['ctx']['models'][string] | undefined;

async function openTeacher(ref: ModelGiven): Promise<OpenedModel> {
  if (ref?.kind === 'file') return openModelFile(ref.path, ref.normalisation, ref.dims, ref.classNames);
  throw new WorkbenchError(
    ref ? 'MODEL_UNSUITABLE' : 'PARAM_INVALID',
    ref
      ? `The teacher must be a trained model file, got the architecture "${ref.architecture}"`
      : 'The run names no teacher, expected an ONNX file',
    { hint: 'Train one with `palimpsest train`, or give an .onnx file with --teacher.' },
  );
}

function studentOf(ref: ModelGiven): NonNullable<ModelGiven> {
  if (ref) return ref;
  throw new WorkbenchError('PARAM_INVALID', 'The run names no student, expected an architecture or an ONNX file', {
    hint: 'Give one with --student.',
  });
}

const scanName = (repeat: number): string => `scan/${repeat}`;

/** Share of the whole work that scanning takes at most, by passes through networks. */
function scanShare({ ctx: { params }, pool, real }: Work): number {
  const scanning = params.repeats * scanLimit(params, pool.size);
  const training = 4 * params.count * params.epochs * armCount(params, real !== undefined);
  return Math.min(0.6, scanning / (scanning + training));
}

async function* drawSets(work: Work): Events<{ pairs: SetPair[]; figures: ResultMetrics }> {
  const { ctx, pool, classNames } = work;
  const { params } = ctx;
  const limit = scanLimit(params, pool.size);
  const pairs: SetPair[] = [];
  const described: z.infer<typeof TransferSetsData>['repeats'] = [];
  for (let repeat = 0; repeat < params.repeats; repeat++) {
    const pass = pool.pass(params.seed + repeat, limit);
    const scan = yield* scanRepeat(work, repeat, pass.source);
    const pair = choosePair(params, scan, pass, repeat);
    pairs.push(pair);
    described.push(describePair(pair, limit, params.count));
    for (const message of pairWarnings(pair, params.count, classNames))
      yield { type: 'log', level: 'warning', message };
    if (repeat === 0) yield await sampleGrid(pair, classNames);
    yield transferIndex(pair);
  }
  const json: z.infer<typeof TransferSetsData> = {
    classNames: [...classNames],
    wanted: params.count,
    pool: {
      title: pool.title,
      kind: pool.kind,
      size: Number.isFinite(pool.size) ? pool.size : null,
      fingerprint: pool.fingerprint ?? null,
      relation: params.relation,
      isInverted: params.invert,
    },
    filter: params.filter === 'none' ? null : { kind: params.filter, share: params.filterShare },
    skew: params.skew,
    temperature: params.temperature,
    repeats: described,
  };
  yield {
    type: 'artifact',
    name: 'transfer-sets',
    title: 'Transfer sets, before and after balancing',
    content: { json },
  };
  const [first] = described;
  return {
    pairs,
    figures: {
      fillRate: first?.fillRate ?? null,
      balanceScore: first?.balanceScore ?? null,
      imbalanceRatio: first?.imbalanceRatio ?? null,
      scanned: first?.scanned ?? null,
      transferCount: first?.balanced.count ?? null,
    },
  };
}

async function* scanRepeat(work: Work, repeat: number, source: SetPair['pass']['source']): Events<Scan> {
  const { ctx, teacher, session, scans } = work;
  const { params, signal } = ctx;
  const state = (scans[repeat] ??= { scan: newScan(teacher.classes), isDone: false });
  if (state.isDone) return state.scan;
  const { scan } = state;
  const enough = isEnough(params, teacher.classes);
  const share = scanShare(work) / params.repeats;
  const options = { teacher, source, temperature: params.temperature, session, signal, isEnough: enough };
  for await (const _ of untilAborted(scanPool(options, scan), signal)) {
    const done = Math.max(scan.count / source.count, enough(scan) ? 1 : filledShare(params, scan));
    yield {
      type: 'progress',
      phase: 'scan',
      step: scan.count,
      totalSteps: source.count,
      fraction: share * (repeat + done),
    };
    yield { type: 'checkpoint', capture: () => checkpoint(work, 'scan', scan.count) };
    signal.throwIfAborted();
  }
  yield* stopIfAborted(signal, () => checkpoint(work, 'scan', scan.count));
  state.isDone = true;
  return scan;
}

/** How far the emptiest bucket is; 0 when the scan does not end with full buckets. */
function filledShare({ filter, skew, count }: Params, { histogram }: Scan): number {
  if (filter !== 'none' || skew > 0) return 0;
  const quotas = equalQuotas(count, histogram.length);
  return Math.min(1, ...quotas.map((quota, k) => (quota === 0 ? 1 : histogram[k]! / quota)));
}

async function* trainStudents(work: Work, arms: readonly Arm[], keep: Keep): Events<void> {
  const { ctx, session, arms: states } = work;
  const share = scanShare(work);
  const left = arms.filter((arm) => states.get(arm.name)?.isDone !== true).length;
  const count = Math.min(laneCount(ctx), left);
  // Even a single lane is a process of its own: a step in this one would keep a cancel from being heard.
  const lanes = openLanes(count).map(keep);
  const sessions = lanes.map((lane) => ({ ...session, threads: 1, lane }));
  const capture = (phase: string, step: number): CheckpointState => checkpoint(work, phase, step);
  yield* distillArms({ arms, states, sessions, from: share, to: 0.99, signal: ctx.signal, now: ctx.now, capture });
}

/** Lanes of one thread: on a GPU one is all it takes. */
function laneCount({ device, params, threads }: Work['ctx']): number {
  if (device !== 'cpu') return 1;
  return params.lanes === 0 ? threads : params.lanes;
}

function checkpoint({ scans, arms }: Work, phase: string, step: number): CheckpointState {
  const trained = armsCheckpoint(arms);
  const stored = scans.map(({ scan }, repeat) => scanCheckpoint(scan, scanName(repeat)));
  return {
    phase,
    step,
    json: {
      scans: scans.map(({ scan, isDone }) => ({ count: scan.count, isDone })),
      arms: trained.json,
    } satisfies z.infer<typeof Resumed>,
    tensors: Object.assign({}, trained.tensors, ...stored.map(({ tensors }) => tensors)),
    parts: Object.assign({}, ...stored.map(({ parts }) => parts)),
  };
}
