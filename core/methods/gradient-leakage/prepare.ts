import { WorkbenchError } from '../../base/errors.ts';
import { openLanes } from '../../runtime/lanes.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { Events } from '../events.ts';
import { unitsOf, type UnitWork } from './attack-unit.ts';
import { gradientFileLines, openGivenGradient } from './gradient-file.ts';
import { localTraining, openInputs, victimOf, type Context, type Inputs, type Params } from './inputs.ts';
import { defencesOf, publicFigures } from './settings.ts';
import { fractionOf } from './shares.ts';
import { openSharing } from './sharing.ts';
import { trainDefended, withWeights } from './training.ts';
import { checkpoint, restoredState, said, type RunState, type Work } from './work.ts';

/** Opens what a run needs; trains the network first where that is asked for. */
export async function* prepare(ctx: Context, keep: (resource: { close(): Promise<void> }) => void): Events<Work> {
  const { params } = ctx;
  const session: SessionOptions = { device: ctx.device, threads: ctx.threads };
  const state = restoredState(ctx.resume);
  const opened = await openInputs(ctx);
  yield said(
    `${opened.model.title} on ${opened.own.title}: ${opened.model.shape.join(' × ')}, ${opened.model.classes} classes`,
  );
  const inputs = params.trainEpochs > 0 ? yield* trainBefore(ctx, opened, state, session) : opened;
  const asked = params.trainEpochs > 0 ? { ...params, weights: 'as-given' as const } : params;
  const victim = victimOf(inputs.model, asked, 0);
  const sharing = openSharing(victim, session, localTraining(params));
  keep(sharing);
  const given = await openGivenGradient(victim, asked, sharing, inputs);
  if (given) {
    yield {
      type: 'artifact',
      name: 'gradient-file',
      title: 'The gradient of the file',
      content: { json: given.facts },
    };
    for (const line of gradientFileLines(given)) yield said(line);
    for (const message of given.facts.warnings) yield { type: 'log', level: 'warning', message };
  }
  const own = given ? { ...asked, batchSize: given.batchSize } : asked;
  const defences = given ? defencesOf({ ...own, defences: [] }) : defencesOf(own);
  const unitWork: UnitWork = {
    params: own,
    inputs,
    sharing,
    figures: inputs.publics && publicFigures(inputs.publics, inputs.model.shape),
    given: given?.shared,
    now: ctx.now,
  };
  const lanes = openLanes(laneCount(ctx, Math.max(unitsOf(own, defences).length, defences.length)));
  lanes.forEach(keep);
  return {
    ctx: { ...ctx, params: own },
    inputs,
    victim,
    defences,
    unitWork,
    session,
    lanes: ctx.device === 'cpu' ? lanes.map((lane) => ({ ...session, threads: 1, lane })) : [session],
    state,
  };
}

/** Processes of one thread each; a GPU is kept busy by one. */
export function laneCount(
  { device, threads, params }: Pick<Context, 'device' | 'threads' | 'params'>,
  atOnce: number,
): number {
  if (device !== 'cpu') return 0;
  return Math.max(1, Math.min(params.lanes === 0 ? threads : params.lanes, atOnce));
}

async function* trainBefore(ctx: Context, inputs: Inputs, state: RunState, session: SessionOptions): Events<Inputs> {
  const { params } = ctx;
  const { publics, model } = inputs;
  if (!publics?.labels) {
    throw new WorkbenchError(
      'DATA_UNSUITABLE',
      'Training before the attack needs labelled public images, and there are none',
      {
        hint: 'Give them with --public, or set the epochs to 0.',
      },
    );
  }
  const images = { ...publics, labels: publics.labels };
  const victim = victimOf(model, params, 0);
  const steps = params.trainEpochs * Math.ceil(images.count / params.tradeoffBatchSize);
  const training = trainDefended(
    { ...trainingOf(params), victim, images, defence: { kind: 'none' }, steps, session, now: ctx.now },
    state.trained.get('before'),
  );
  for await (const reached of training) {
    state.trained.set('before', reached);
    yield { type: 'metric', name: 'trainingLoss', step: reached.step, value: reached.loss };
    const fraction = fractionOf({ ctx, inputs }, 'training', reached.step / steps);
    yield { type: 'progress', phase: 'training', step: reached.step, totalSteps: steps, fraction };
    yield { type: 'checkpoint', capture: () => checkpoint({ state }, 'training') };
    ctx.signal.throwIfAborted();
  }
  return {
    ...inputs,
    model: trainedModel(model, withWeights(victim, state.trained.get('before')?.weights ?? {}).graph),
  };
}

const trainedModel = (model: OpenedModel, graph: OpenedModel['graph']): OpenedModel => ({ ...model, graph });

export const trainingOf = ({
  tradeoffBatchSize,
  tradeoffRate,
  seed,
}: Params): { batchSize: number; learningRate: number; seed: number } => ({
  batchSize: tradeoffBatchSize,
  learningRate: tradeoffRate,
  seed,
});
