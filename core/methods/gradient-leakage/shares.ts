import type { Context, Inputs } from './inputs.ts';
import { evaluationsOfStep, labelPasses, trainingsOf } from './spec.ts';

type Phase = 'training' | 'trade-off' | 'labels' | 'attacks';

interface Sized {
  readonly ctx: Pick<Context, 'params' | 'device' | 'threads'>;
  readonly inputs: { readonly publics?: Pick<NonNullable<Inputs['publics']>, 'count'> | undefined };
}

/** A gradient of the weights, and one of a distance between gradients, in forward passes. */
const passesOf = { first: 3, second: 9 };
/** To begin a graph costs a small network as much as the arithmetic of so many images. */
const beginning = 4;

/** Share of the whole when `part` of a phase is done: phases weigh what the declaration says that they cost. */
export function fractionOf(sized: Sized, phase: Phase, part: number): number {
  const weights = weightsOf(sized);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  let before = 0;
  for (const [name, weight] of weights) {
    if (name === phase) return Math.min(1, (before + part * weight) / total);
    before += weight;
  }
  return 1;
}

/** In the order of the run; in forward passes of one image that follow each other. */
function weightsOf({ ctx: { params, device, threads }, inputs }: Sized): readonly (readonly [Phase, number])[] {
  const lanes = device === 'cpu' ? Math.max(1, params.lanes === 0 ? threads : params.lanes) : 1;
  const { tradeoffBatchSize: size, batchSize } = params;
  const batches = (params.trainEpochs * (inputs.publics?.count ?? 0)) / size;
  const attackSteps = params.runs * params.restarts * params.steps * evaluationsOfStep(params);
  return [
    ['training', batches * passesOf.first * (size + beginning)],
    ['trade-off', (params.tradeoffSteps * trainingsOf(params) * passesOf.first * (size + beginning)) / lanes],
    ['labels', params.labelBatches * params.labelBatchSizes.length * labelPasses * passesOf.first],
    // What is left to write counts as an attack of one step.
    ['attacks', Math.max(1, attackSteps) * passesOf.second * ((batchSize + beginning) / lanes)],
  ];
}
