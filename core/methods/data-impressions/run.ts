import { z } from 'zod';
import { WorkbenchError } from '../../base/errors.ts';
import type { ResultMetrics } from '../../contract/run.ts';
import type { ImageSet } from '../../data/dataset.ts';
import { cloneEfficiency } from '../../metrics/transfer.ts';
import { writeModel } from '../../onnx/write.ts';
import { openLanes } from '../../runtime/lanes.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import { armsCheckpoint, restoreArms, type Arm, type ArmStates } from '../../train/arms.ts';
import { evaluateArms, predictLogits } from '../../train/evaluate-arms.ts';
import { arraySource } from '../../train/evaluate.ts';
import { classNamesOf, openFitting } from '../../train/inputs.ts';
import { openModel, openModelFile, type OpenedModel } from '../../train/models.ts';
import { forDelivery, withParameters } from '../../train/parameters.ts';
import type { CheckpointState, MethodEvent, Run, RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import { distillArms } from '../distill-arms.ts';
import { stopIfAborted, type Events } from '../events.ts';
import { attainment, impressionsFile, impressionsGrid, type AttainmentJson, type Impressions } from './impressions.ts';
import { bounds, laneCount, synthesisOptions, synthesisTeacher, targetOptions, transferArms } from './setup.ts';
import type { spec } from './spec.ts';
import {
  batchCount,
  meanLosses,
  restoreSynthesis,
  stepsDone,
  synthesisCheckpoint,
  synthesize,
  type SynthesisProgress,
} from '../../train/impressions/synthesize.ts';
import {
  classSimilarity,
  noSimilarity,
  sampleTargets,
  type ClassSimilarity,
  type TargetKind,
  type TargetSet,
} from '../../train/impressions/targets.ts';

/** What a checkpoint of this method says beside its tensors. */
const Resumed = z.object({
  open: z.array(z.object({ batch: z.int(), step: z.int() })),
  arms: z.array(z.object({ name: z.string(), step: z.int(), isDone: z.boolean(), agreement: z.number() })),
});

/** Everything that the phases share. */
interface Work {
  readonly ctx: RunContext<ParamsOf<typeof spec>>;
  readonly teacher: OpenedModel;
  readonly student: OpenedModel;
  readonly test: ImageSet | undefined;
  readonly real: ImageSet | undefined;
  readonly classNames: readonly string[];
  readonly targets: TargetSet;
  /** For what runs one thing at a time. */
  readonly session: SessionOptions;
  /** One for each lane. */
  readonly lanes: readonly SessionOptions[];
  readonly synthesis: SynthesisProgress;
  readonly arms: ArmStates;
}

/** Data impressions, then a student distilled from them, then the controls and the figures (zskd.md). */
export const run: Run<typeof spec> = async function* (ctx) {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> } | undefined>(resource: T): T => {
    if (resource) opened.push(resource);
    return resource;
  };
  try {
    const work = yield* prepare(ctx, keep);
    const { teacher, student, real } = work;
    const { impressions, figures } = yield* makeImpressions(work);
    const arms = await transferArms({ params: ctx.params, teacher, student, impressions, real });
    if (arms.some(({ name, set }) => name === 'real' && set.source.count < ctx.params.count)) {
      const message = `There are only ${real?.count} real images for the control, fewer than the ${ctx.params.count} impressions.`;
      yield { type: 'log', level: 'warning', message };
    }
    yield* trainStudents(work, arms);
    return { ...figures, ...(yield* scoreStudents(work, arms)) };
  } finally {
    await Promise.all(opened.map((resource) => resource.close()));
  }
};

type Keep = <T extends { close(): Promise<void> } | undefined>(resource: T) => T;

async function* prepare(ctx: Work['ctx'], keep: Keep): Events<Work> {
  const { params } = ctx;
  const teacher = await openTeacher(ctx);
  const { shape, classes } = teacher;
  const student = await openModel(reference(ctx.models, 'student'), 'student', { shape, classes, seed: params.seed });
  const test = keep(ctx.data['test'] && (await openFitting(ctx.data['test'], 'test', teacher, 'required')));
  const real = keep(ctx.data['real'] && (await openFitting(ctx.data['real'], 'real', teacher, 'unused')));
  const similarity = similarityOf(teacher, params.targets);
  const classNames = classNamesOf(teacher, test, real);
  yield { type: 'log', level: 'info', message: teacherFacts(teacher) };
  if (teacher.description.usesBatchStatistics) {
    yield {
      type: 'log',
      level: 'warning',
      message: `${teacher.title} was exported in training mode; it is used in inference mode, with the running statistics of its file.`,
    };
  }
  if (similarity) {
    yield {
      type: 'artifact',
      name: 'class-similarity',
      title: 'Class similarity',
      content: { json: { classNames, cosine: similarity.cosine, normalised: similarity.normalised } },
    };
  }
  const { resume } = ctx;
  const resumed = resume && Resumed.parse(resume.json);
  const options = synthesisOptions(params);
  const layout = { count: params.count, batchSize: options.batchSize, shape };
  const session: SessionOptions = { device: ctx.device, threads: ctx.threads };
  const targets = sampleTargets(similarity ?? noSimilarity(classes), targetOptions(params));
  const lanes = openLanes(laneCount(ctx, params.lanes, Math.max(batchCount(layout), armCount(ctx)))).map(keep);
  return {
    ctx,
    teacher,
    student,
    test,
    real,
    classNames,
    targets,
    session,
    lanes: lanes.map((lane) => ({ ...session, threads: 1, lane })),
    synthesis: restoreSynthesis(layout, resumed?.open ?? [], resume?.tensors ?? {}, resume?.parts ?? {}),
    arms: restoreArms(resumed?.arms ?? [], resume?.tensors ?? {}),
  };
}

/** Targets that follow class similarity need the last layer; the others do without. */
function similarityOf(teacher: OpenedModel, targets: TargetKind): ClassSimilarity | undefined {
  const { templates } = teacher.description;
  if (templates) return classSimilarity(templates.weight, teacher.classes);
  if (targets === 'one-hot' || targets === 'uniform') return undefined;
  throw new WorkbenchError(
    'MODEL_UNSUITABLE',
    `${teacher.title} does not end in a linear layer, whose class templates the targets "${targets}" are made from`,
    { hint: 'Export the model with its classifier head, or choose the targets "one-hot" or "uniform".' },
  );
}

async function openTeacher({ models }: Work['ctx']): Promise<OpenedModel> {
  const ref = reference(models, 'teacher');
  if (ref.kind === 'file') return openModelFile(ref.path, ref.normalisation, ref.dims, ref.classNames);
  throw new WorkbenchError(
    'MODEL_UNSUITABLE',
    `The teacher must be a trained model file, got the architecture "${ref.architecture}"`,
    {
      hint: 'Train one with `palimpsest train`, or give an .onnx file.',
    },
  );
}

function reference(models: Work['ctx']['models'], role: string): Work['ctx']['models'][string] {
  const ref = models[role];
  if (ref) return ref;
  throw new WorkbenchError('PARAM_INVALID', `The run names no ${role}`, { hint: `Give one with --${role}.` });
}

const armCount = ({ params, data }: Work['ctx']): number =>
  1 + Number(params.controlNoise) + Number(params.controlReal && data['real'] !== undefined);

function teacherFacts({ title, description, shape, classes }: OpenedModel): string {
  const { opset, producer, parameterCount, softmaxRemoved, batchNorms } = description;
  const cut = softmaxRemoved ? '; it ends in a softmax, the logits before it are used' : '';
  const norms = batchNorms.length > 0 ? `${batchNorms.length} batch-norm layers` : 'no batch-norm layers';
  return `Teacher ${title}: images ${shape.join(' × ')}, ${classes} classes, ${parameterCount} parameters, ${norms}, opset ${opset}, made by ${producer || 'an unnamed exporter'}${cut}`;
}

/** Work done, 0–1, weighing synthesis steps against distillation steps by their passes through networks. */
function shares({ ctx }: Work): { synthesis: number } {
  const synthesis = 3 * ctx.params.steps;
  return { synthesis: synthesis / (synthesis + 2.5 * ctx.params.epochs * armCount(ctx)) };
}

async function* makeImpressions(work: Work): Events<{ impressions: Impressions; figures: ResultMetrics }> {
  const { ctx, teacher, targets, synthesis, classNames } = work;
  const { params } = ctx;
  const options = synthesisOptions(params);
  const teacherView = synthesisTeacher(teacher, params);
  const share = shares(work).synthesis;
  const input = {
    teacher: teacherView,
    options,
    targets,
    sessions: work.lanes,
    now: ctx.now,
  };
  const grid = (): Promise<MethodEvent> => impressionsGrid(synthesis, targets, bounds, classNames);
  let shown = 0;
  for await (const said of untilAborted(synthesize(input, synthesis), ctx.signal)) {
    const { stepsDone: step, stepsTotal } = said;
    yield {
      type: 'progress',
      phase: 'synthesis',
      step,
      totalSteps: stepsTotal,
      fraction: (share * step) / stepsTotal,
    };
    if (said.finalLoss !== undefined) {
      yield { type: 'metric', name: 'synthesisLoss', step: said.batch, value: said.finalLoss };
      // Live pictures at 1, 2, 4, 8 … finished batches: the rows fill up early and the files stay few.
      if (synthesis.losses.size >= 2 * shown) {
        shown = synthesis.losses.size;
        yield await grid();
      }
    }
    yield { type: 'checkpoint', capture: () => checkpoint(work, 'synthesis', step) };
    ctx.signal.throwIfAborted();
  }
  yield* stopIfAborted(ctx.signal, () => checkpoint(work, 'synthesis', stepsDone(synthesis, options)));
  const { images } = synthesis;
  const logits = await predictLogits(teacher, arraySource(images, teacher.shape), work.session, ctx.signal);
  const impressions: Impressions = {
    images,
    shape: teacher.shape,
    targets,
    logits,
    classes: teacher.classes,
    classNames,
  };
  const reached = attainment(impressions, params.temperature);
  yield await grid();
  yield reached.event;
  yield {
    type: 'artifact',
    name: 'synthesis-curve',
    title: 'Synthesis loss by step',
    content: { json: { losses: meanLosses(synthesis, options.steps) } },
  };
  yield impressionsFile(impressions);
  return { impressions, figures: attainmentFigures(reached.json) };
}

const attainmentFigures = ({ excessLoss, attained }: AttainmentJson): ResultMetrics => ({
  excessLoss: excessLoss.mean,
  attained,
});

async function* trainStudents(work: Work, arms: readonly Arm[]): Events<void> {
  const { ctx } = work;
  const share = shares(work).synthesis;
  const capture = (phase: string, step: number): CheckpointState => checkpoint(work, phase, step);
  yield* distillArms({
    arms,
    states: work.arms,
    sessions: work.lanes,
    from: share,
    to: 1,
    signal: ctx.signal,
    now: ctx.now,
    capture,
  });
}

function checkpoint({ synthesis, arms }: Work, phase: string, step: number): CheckpointState {
  const made = synthesisCheckpoint(synthesis);
  const trained = armsCheckpoint(arms);
  return {
    phase,
    step,
    json: { open: made.json, arms: trained.json } satisfies z.infer<typeof Resumed>,
    tensors: { ...made.tensors, ...trained.tensors },
    parts: made.parts,
  };
}

async function* scoreStudents(work: Work, arms: readonly Arm[]): Events<ResultMetrics> {
  const { ctx, teacher, student, test, classNames } = work;
  const keptOf = (arm: Arm): ReturnType<ArmStates['get']> => work.arms.get(arm.name);
  for (const arm of arms) {
    const bytes = writeModel(forDelivery(withParameters(student.model, keptOf(arm)?.kept ?? {})));
    const name = arm.name === 'student' ? 'student.onnx' : `student-${arm.name}.onnx`;
    yield { type: 'artifact', name, title: `${arm.title}, ONNX`, content: { bytes, mediaType: 'application/onnx' } };
  }
  const heldOut = keptOf(arms[0]!)?.agreement ?? -1;
  const own: ResultMetrics = heldOut < 0 ? {} : { heldOutAgreement: heldOut };
  if (!test?.labels) {
    yield {
      type: 'log',
      level: 'warning',
      message: 'No labelled test set was given: the student is not scored on real images.',
    };
    return own;
  }
  const scored = [
    { name: 'teacher', title: 'Teacher', model: teacher },
    ...arms.map((arm) => ({ name: arm.name, title: arm.title, model: student, parameters: keptOf(arm)?.kept ?? {} })),
  ];
  const evaluation = await evaluateArms(scored, test, test.labels, classNames, work.session, ctx.signal);
  yield { type: 'artifact', name: 'evaluation', title: 'Figures on the test set', content: { json: evaluation } };
  const of = (name: string): (typeof evaluation.arms)[number] | undefined =>
    evaluation.arms.find((arm) => arm.name === name);
  const studentArm = of('student');
  const accuracies: ResultMetrics = Object.fromEntries(
    ['student', 'teacher', 'noise', 'real'].flatMap((name) => {
      const arm = of(name);
      return arm ? [[`${name}Accuracy`, arm.accuracy]] : [];
    }),
  );
  const realArm = of('real');
  return {
    ...own,
    ...accuracies,
    agreement: studentArm?.agreement ?? null,
    calibrationError: studentArm?.calibrationError ?? null,
    ...(studentArm && realArm
      ? { cloneEfficiency: cloneEfficiency(studentArm.accuracy, realArm.accuracy, 1 / teacher.classes) }
      : {}),
  };
}
