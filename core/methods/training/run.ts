import { z } from 'zod';
import type { Tensor } from '../../base/tensor.ts';
import type { ResultMetrics } from '../../contract/run.ts';
import { writeModel } from '../../onnx/write.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { evaluateArms } from '../../train/evaluate-arms.ts';
import { classNamesOf } from '../../train/inputs.ts';
import { forDelivery, parameterCount, withParameters } from '../../train/parameters.ts';
import type { TrainingSnapshot } from '../../train/training-loop.ts';
import { viewOf } from '../common-params.ts';
import type { CheckpointState, Run, RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import type { Events } from '../events.ts';
import { openTrainingInputs, type TrainingInputs } from './inputs.ts';
import type { spec } from './spec.ts';
import { supervisedSteps, trainSupervised, type SupervisedOptions } from './supervised.ts';

type Params = ParamsOf<typeof spec>;

/** Sum of the losses of the last epoch, added in the order of the steps. */
const LastEpoch = z.object({ sum: z.number(), count: z.int() });
const Resumed = z.object({ step: z.int(), lastEpoch: LastEpoch });

/** Everything that the phases share. */
interface Work {
  readonly ctx: RunContext<Params>;
  readonly inputs: TrainingInputs;
  readonly session: SessionOptions;
}

interface Trained {
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** Mean loss over the last epoch. */
  readonly finalLoss: number;
}

/** Supervised training; the test set is looked at once, after the last step. */
export const run: Run<typeof spec> = async function* (ctx) {
  const { models, data, params } = ctx;
  const inputs = await openTrainingInputs({
    model: models['model'],
    train: data['train'],
    test: data['test'],
    seed: params.seed,
  });
  const { model, train, test } = inputs;
  const work: Work = { ctx, inputs, session: { device: ctx.device, threads: ctx.threads } };
  try {
    yield {
      type: 'log',
      level: 'info',
      message: `Training ${model.title} (${parameterCount(model.graph)} parameters) on ${train.count} images of ${train.title}: ${model.shape.join(' × ')}, ${model.classes} classes`,
    };
    const { parameters, finalLoss } = yield* training(work);
    const figures = yield* deliver(work, parameters);
    return { ...figures, finalLoss, parameters: parameterCount(model.graph) };
  } finally {
    await Promise.all([train.close(), test?.close()]);
  }
};

async function* training({ ctx, inputs, session }: Work): Events<Trained> {
  const { params } = ctx;
  const { model, train, labels } = inputs;
  const options = supervisedOptions(params, train.count, session);
  const resumed = ctx.resume && Resumed.parse(ctx.resume.json);
  const from = resumed && { step: resumed.step, tensors: ctx.resume?.tensors ?? {} };
  let parameters: Readonly<Record<string, Tensor>> = {};
  let lastEpoch = resumed?.lastEpoch ?? { sum: 0, count: 0 };
  const totalSteps = supervisedSteps(train.count, options);
  const lastEpochFrom = totalSteps - Math.ceil(train.count / options.batchSize);
  for await (const chunk of trainSupervised(model, train, labels, options, from, ctx.now)) {
    const firstStep = chunk.step - chunk.losses.length;
    let { sum, count } = lastEpoch;
    for (const [i, value] of chunk.losses.entries()) {
      yield { type: 'metric', name: 'loss', step: firstStep + i, value };
      if (firstStep + i < lastEpochFrom) continue;
      sum += value;
      count++;
    }
    lastEpoch = { sum, count };
    if (chunk.step === totalSteps) parameters = chunk.parameters();
    yield {
      type: 'progress',
      phase: 'training',
      step: chunk.step,
      totalSteps,
      fraction: (0.99 * chunk.step) / totalSteps,
    };
    yield { type: 'checkpoint', capture: () => checkpoint(chunk.snapshot, lastEpoch) };
    ctx.signal.throwIfAborted();
  }
  return { parameters, finalLoss: lastEpoch.sum / lastEpoch.count };
}

function checkpoint({ step, tensors }: TrainingSnapshot, lastEpoch: z.infer<typeof LastEpoch>): CheckpointState {
  return { phase: 'training', step, json: { step, lastEpoch } satisfies z.infer<typeof Resumed>, tensors };
}

function supervisedOptions(params: Params, count: number, session: SessionOptions): SupervisedOptions {
  return {
    epochs: params.epochs,
    batchSize: Math.min(params.batchSize, count),
    optimiser: params.optimiser,
    learningRate: params.learningRate,
    schedule: params.schedule,
    momentum: params.momentum,
    nesterov: params.nesterov,
    weightDecay: params.weightDecay,
    labelSmoothing: params.labelSmoothing,
    view: viewOf(params),
    seed: params.seed,
    session,
  };
}

/** Scores the network, then writes it with what it was trained on and how well it does. */
async function* deliver({ ctx, inputs, session }: Work, parameters: Trained['parameters']): Events<ResultMetrics> {
  const { model, train, test } = inputs;
  const figures: ResultMetrics = {};
  if (test?.labels) {
    const classNames = classNamesOf(model, test, train);
    const arm = { name: 'model', title: 'Trained network', model, parameters };
    const evaluation = await evaluateArms([arm], test, test.labels, classNames, session, ctx.signal);
    yield { type: 'artifact', name: 'evaluation', title: 'Figures on the test set', content: { json: evaluation } };
    figures['testAccuracy'] = evaluation.arms[0]?.accuracy ?? null;
    figures['calibrationError'] = evaluation.arms[0]?.calibrationError ?? null;
  } else {
    yield { type: 'log', level: 'warning', message: 'No test set was given: the network is not scored.' };
  }
  const trained = forDelivery(withParameters(model.model, parameters));
  const metadata = {
    ...trained.metadata,
    'palimpsest.method': 'training',
    'palimpsest.params': JSON.stringify(ctx.params),
    'palimpsest.seed': String(ctx.params.seed),
    'palimpsest.train': `${train.title}, ${train.count} images, ${train.fingerprint}`,
    ...(test ? { 'palimpsest.test': `${test.title}, ${test.count} images, ${test.fingerprint}` } : {}),
    ...(typeof figures['testAccuracy'] === 'number'
      ? { 'palimpsest.testAccuracy': String(figures['testAccuracy']) }
      : {}),
  };
  const bytes = writeModel({ ...trained, metadata });
  yield {
    type: 'artifact',
    name: 'model.onnx',
    title: 'Trained network, ONNX',
    content: { bytes, mediaType: 'application/onnx' },
    meta: { classes: model.classes, shape: model.shape },
  };
  return figures;
}
