import { privacySpent } from '../../leakage/accountant.ts';
import { describeDefence, type Defence } from '../../leakage/defence.ts';
import { openVictim, type Victim } from '../../leakage/victim.ts';
import { wilsonInterval } from '../../metrics/intervals.ts';
import { pool } from '../../runtime/pool.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import type { Events } from '../events.ts';
import { victimOf, type Inputs } from './inputs.ts';
import { trainingOf } from './prepare.ts';
import type { TradeoffData } from './report-data.ts';
import { fractionOf } from './shares.ts';
import { accuracyOf, halves, trainDefended, withWeights, type TrainingState } from './training.ts';
import { checkpoint, said, type Work } from './work.ts';

/** The network that the trade-off trains: with weights drawn anew, as a trained file would hide what a defence costs. */
export function tradeoffVictim({ ctx, inputs, victim }: Work): Victim {
  const isTrained = ctx.models['victim']?.kind === 'file' || ctx.params.trainEpochs > 0;
  if (ctx.params.weights !== 'as-given' || !isTrained) return victimOf(inputs.model, ctx.params, 0);
  return openVictim(inputs.model, {
    weights: { kind: 'torch-default', seed: ctx.params.seed },
    batchNorm: victim.batchNorm,
  });
}

type Labelled = Inputs['own'];

function tradeoffImages({ inputs, ctx }: Work): { train: Labelled; test: Labelled; trainedOn: string } {
  const { own, publics } = inputs;
  if (publics?.labels)
    return {
      train: { ...publics, labels: publics.labels },
      test: own,
      trainedOn: `${publics.count} of ${publics.title}`,
    };
  const split = halves(own, own.images.length / own.count, ctx.params.seed);
  return { ...split, trainedOn: `${split.train.count}, ${split.train.title}` };
}

/** Accuracy after a number of training steps under each defence. */
export async function* tradeoffPhase(work: Work): Events<void> {
  const { ctx, defences, state, lanes } = work;
  const { params, signal } = ctx;
  if (params.tradeoffSteps === 0 || params.gradientFile !== '') return;
  const victim = tradeoffVictim(work);
  const { train, test, trainedOn } = tradeoffImages(work);
  const steps = params.tradeoffSteps;
  const jobs = defences.map((defence, i) => ({ defence, name: `defence.${i}` }));
  const left = jobs.filter(({ name }) => state.trained.get(name)?.step !== steps);
  const training = pool(lanes, left, async function* ({ defence, name }, session): AsyncGenerator<{
    name: string;
    reached: TrainingState;
  }> {
    const options = { ...trainingOf(params), victim, images: train, defence, steps, session, now: ctx.now };
    for await (const reached of trainDefended(options, state.trained.get(name))) yield { name, reached };
  });
  for await (const { name, reached } of untilAborted(training, signal)) {
    state.trained.set(name, reached);
    const done = jobs.reduce((sum, job) => sum + (state.trained.get(job.name)?.step ?? 0), 0);
    const totalSteps = jobs.length * steps;
    yield { type: 'metric', name: `trainingLoss.${name}`, step: reached.step, value: reached.loss };
    const fraction = fractionOf(work, 'trade-off', done / totalSteps);
    yield { type: 'progress', phase: 'trade-off', step: done, totalSteps, fraction };
    yield { type: 'checkpoint', capture: () => checkpoint(work, 'trade-off') };
    signal.throwIfAborted();
  }
  signal.throwIfAborted();
  const rows: TradeoffData['rows'] = [];
  for (const { defence, name } of jobs) {
    const reached = state.trained.get(name);
    const accuracy = await accuracyOf(withWeights(victim, reached?.weights ?? {}), test, work.session, signal);
    const { low, high } = wilsonInterval(Math.round(accuracy * test.count), test.count);
    const loss = reached && Number.isFinite(reached.loss) ? reached.loss : null;
    rows.push({
      defence: describeDefence(defence),
      accuracy,
      interval: [low, high],
      loss,
      epsilon: epsilonOf(defence, Math.min(1, params.tradeoffBatchSize / train.count), steps, params.delta),
    });
  }
  const json: TradeoffData = {
    steps,
    batchSize: params.tradeoffBatchSize,
    trainedOn,
    testedOn: test.count,
    delta: params.delta,
    rows,
  };
  yield { type: 'artifact', name: 'trade-off', title: 'Accuracy under each defence', content: { json } };
  yield said(rows.map(({ defence, accuracy }) => `${defence}: ${(100 * accuracy).toFixed(1)} %`).join('; '));
}

function epsilonOf(defence: Defence, samplingRate: number, steps: number, delta: number): number | null {
  if (defence.kind !== 'dp-sgd') return null;
  const { epsilon } = privacySpent({ samplingRate, multiplier: defence.multiplier, steps, delta });
  return Number.isFinite(epsilon) ? epsilon : null;
}
