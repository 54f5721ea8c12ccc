import { z } from 'zod';
import type { Estimate } from '../contract/bridge.ts';
import { Cost, type ModelInspection } from '../contract/inspection.ts';
import type { SpeedFacts } from '../contract/machine.ts';
import type { ModelRef, RunRequest } from '../contract/run.ts';
import type { MethodSpec, Pass } from '../methods/define.ts';
import { lookApart } from './apart.ts';
import { operationsOf } from './work.ts';

export interface EstimateSurroundings {
  readonly inspect: (path: string) => Promise<ModelInspection>;
  /** What was measured here on the processor; empty when nothing was. */
  readonly speed: readonly SpeedFacts[];
  /** Cost of an architecture for images [C, H, W] and so many classes. */
  readonly architecture?: (name: string, shape: Shape, classes: number) => Promise<Cost | null>;
}

type Shape = [number, number, number];

/** The run may take so much less or more. */
const spread = { low: 0.4, high: 2.5 } as const;
const startupMs = 1500;

/**
 * Share of the measured speed that a pass of so many operations reaches. The measurement is one large convolution and one
 * matrix product; small models wait for memory and for many small operators. A tenth at LeNet-5's size was measured,
 * rising to the speed of networks of some hundred million operations.
 */
const efficiencyOf = (flops: number): number => Math.min(0.6, 0.1 * Math.max(1, flops / 1e6) ** 0.25);

/** Before anything like it was run here: operations of the graphs over the measured speed. null: one of them is not known. */
export async function estimateFromGraphs(
  spec: Pick<MethodSpec, 'work' | 'models'>,
  request: RunRequest,
  { inspect, speed, architecture = costOfArchitecture }: EstimateSurroundings,
): Promise<Estimate | null> {
  const measured = speedFor(speed, request);
  if (!measured || spec.work === undefined) return null;
  const costs = await costsOf(request.models, inspect, architecture);
  const flops = operationsOf(spec.work, request, (role, pass) => {
    const cost = costOfPass(costs.get(role), pass);
    return cost === null ? null : cost / efficiencyOf(cost);
  });
  if (flops === null) return null;
  const computeMs = flops / measured.gflops / 1e6;
  return {
    time: {
      lowMs: startupMs + computeMs * spread.low,
      likelyMs: startupMs + computeMs,
      highMs: startupMs + computeMs * spread.high,
    },
    memoryBytes: null,
    diskBytes: null,
    basis:
      'A first guess from the operations in the graphs and the measured speed of this machine; the first run will tell better',
  };
}

/** The measurement with as many threads, else the closest. Other devices than the processor are not estimated. */
function speedFor(speed: readonly SpeedFacts[], { device, threads }: RunRequest): SpeedFacts | undefined {
  if (device !== 'auto' && device !== 'cpu') return undefined;
  const distance = (facts: SpeedFacts): number => Math.abs(facts.threads - threads);
  return speed.filter((facts) => facts.device === 'cpu').toSorted((a, b) => distance(a) - distance(b))[0];
}

async function costsOf(
  models: Readonly<Record<string, ModelRef>>,
  inspect: EstimateSurroundings['inspect'],
  architecture: NonNullable<EstimateSurroundings['architecture']>,
): Promise<ReadonlyMap<string, Cost>> {
  const costs = new Map<string, Cost>();
  let fit: { readonly shape: Shape; readonly classes: number } | undefined;
  for (const [role, reference] of Object.entries(models)) {
    if (reference.kind === 'zoo') continue;
    const { cost, classifier } = await inspect(reference.path);
    if (cost) costs.set(role, cost);
    if (classifier) {
      const { channels, height, width } = classifier.image;
      fit ??= { shape: [channels, height, width], classes: classifier.classCount };
    }
  }
  for (const [role, reference] of Object.entries(models)) {
    // An architecture takes the images and classes of the file beside it.
    if (reference.kind !== 'zoo' || !fit) continue;
    const cost = await architecture(reference.architecture, fit.shape, fit.classes);
    if (cost) costs.set(role, cost);
  }
  return costs;
}

function costOfPass(cost: Cost | undefined, pass: Pass): number | null {
  if (!cost) return null;
  const { forwardFlops } = cost;
  const beside = {
    forward: 0,
    'input-gradient': cost.inputGradientFlops,
    'parameter-gradient': cost.parameterGradientFlops,
    'second-order': cost.secondOrderFlops,
  }[pass];
  return beside === null ? null : forwardFlops + beside;
}

const known = new Map<string, Promise<Cost | null>>();

/** Asked at every pause of the typing, computed once. */
async function costOfArchitecture(name: string, shape: Shape, classes: number): Promise<Cost | null> {
  const key = JSON.stringify([name, shape, classes]);
  const before = known.get(key);
  if (before) return before;
  const found = lookApart({ kind: 'architecture', name, shape, classes }).then(
    (answer) => z.object({ cost: Cost.nullable() }).parse(answer).cost,
    // Images too small for it: the run will say so.
    () => null,
  );
  known.set(key, found);
  return found;
}
