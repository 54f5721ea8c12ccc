import type { Estimate } from '../contract/bridge.ts';
import type { Cost, ModelInspection } from '../contract/inspection.ts';
import type { SpeedFacts } from '../contract/machine.ts';
import type { DataRef, RunRequest } from '../contract/run.ts';
import type { Footprint, MethodSpec, ModelScale, Pass, RunScale } from '../methods/define.ts';
import { timeOfWork, type Manner } from './work.ts';

export interface EstimateSurroundings {
  readonly inspect: (path: string, dims?: Readonly<Record<string, number>>) => Promise<ModelInspection>;
  /** What was measured here on the processor; empty when nothing was. */
  readonly speed: readonly SpeedFacts[];
  /** Cost of an architecture for images [C, H, W] and so many classes. */
  readonly architecture: (name: string, shape: Shape, classes: number) => Promise<Weighed | null>;
  /** Number of images, their shape and classes; null where the data cannot be read. */
  readonly describe: (data: DataRef) => Promise<DataFacts | null>;
}

export type Shape = [number, number, number];

export interface DataFacts {
  readonly count: number;
  readonly shape: readonly number[];
  readonly classes: number | null;
}

/** An architecture, built. */
export interface Weighed {
  readonly cost: Cost;
  readonly parameters: number;
}

interface Known {
  readonly scale: RunScale;
  readonly costs: ReadonlyMap<string, Cost>;
}

/** What the graphs say of a run, and of the same run with other parameters. */
export interface Foreseen {
  readonly estimate: Estimate;
  /** What the amount of its work follows from. */
  readonly scale: RunScale;
  /** Milliseconds of computing with other parameters, the models and data being the same; null when it cannot be told. */
  timeWith(params: RunScale['params']): number | null;
  /** Bytes of the processes beside that of the job. */
  readonly laneBytes: number;
}

/** Before anything like it was run here: the operations of the graphs, the measured speed, and what the method declares. */
export async function foresee(
  spec: Pick<MethodSpec, 'work' | 'footprint' | 'models'>,
  request: RunRequest,
  where: EstimateSurroundings,
): Promise<Foreseen> {
  const known = await look(request, where);
  const { scale } = known;
  const footprint = spec.footprint?.(scale);
  const told = (params: RunScale['params']) =>
    timeOf(spec, request, { ...known, scale: { ...scale, params } }, footprint, where.speed);
  const memory = footprint && memoryOf(footprint, scale);
  return {
    scale,
    estimate: {
      ...told(request.params),
      memoryBytes: memory ? memory.job + memory.lanes : null,
      diskBytes: footprint?.writtenBytes ?? null,
    },
    timeWith: (params) => told(params).time?.likelyMs ?? null,
    laneBytes: memory?.lanes ?? 0,
  };
}

async function look(request: RunRequest, where: EstimateSurroundings): Promise<Known> {
  const data: Record<string, number> = {};
  let fit: { readonly shape: Shape; readonly classes: number } | undefined;
  for (const [role, reference] of Object.entries(request.data)) {
    const facts = await where.describe(reference);
    if (!facts) continue;
    data[role] = Math.min(reference.limit ?? facts.count, facts.count);
    const [channels = 1, height = 1, width = 1] = facts.shape;
    if (facts.classes !== null) fit ??= { shape: [channels, height, width], classes: facts.classes };
  }
  const costs = new Map<string, Cost>();
  const models: Record<string, ModelScale> = {};
  const keep = (role: string, cost: Cost, at: { shape: Shape; classes: number }, parameters: number): void => {
    costs.set(role, cost);
    models[role] = { ...at, parameters, activations: cost.activations };
  };
  for (const [role, reference] of Object.entries(request.models)) {
    if (reference.kind === 'zoo') continue;
    const { cost, classifier } = await where.inspect(reference.path, reference.dims);
    if (!classifier) continue;
    const { channels, height, width } = classifier.image;
    const own = { shape: [channels, height, width] satisfies Shape, classes: classifier.classCount };
    // An architecture takes the images and classes of the file beside it.
    fit = own;
    if (cost) keep(role, cost, own, classifier.parameters.count);
  }
  for (const [role, reference] of Object.entries(request.models)) {
    if (reference.kind !== 'zoo' || !fit) continue;
    const weighed = await where.architecture(reference.architecture, fit.shape, fit.classes);
    if (weighed) keep(role, weighed.cost, fit, weighed.parameters);
  }
  return { scale: { params: request.params, threads: request.threads, models, data }, costs };
}

/** A run may take so much less or more than the graphs say. */
const spread = { low: 0.6, high: 1.7 } as const;
/** Starting the processes, opening data and models, and the report. */
const startupMs = 3000;

function timeOf(
  spec: Pick<MethodSpec, 'work' | 'models'>,
  request: RunRequest,
  { scale, costs }: Known,
  footprint: Footprint | undefined,
  speed: readonly SpeedFacts[],
): Pick<Estimate, 'time' | 'basis'> {
  const untold = (why: string) => ({ time: null, basis: `How long it takes cannot be told: ${why}` });
  if (request.device !== 'auto' && request.device !== 'cpu') {
    return untold(`no run like it was made here, and the speed of ${request.device} is not foreseen`);
  }
  const gflops = speedOfOneThread(speed);
  if (gflops === undefined) return untold('the speed of this machine was not measured yet');
  if (spec.work === undefined) return untold('the method does not declare its work, and no run like it was made here');
  let why = 'the method does not declare the cost of a part of its work, and no run like it was made here';
  const computing = timeOfWork(spec.work, scale, (role, pass, manner) => {
    const cost = costs.get(role);
    const ms = cost && msOfPass(cost, pass, manner, { gflops, threads: request.threads, lanes: footprint?.lanes ?? 0 });
    if (ms === undefined || ms === null) {
      const title = spec.models[role]?.title ?? role;
      why = cost ? `${title}: the gradients that are needed do not exist` : `the cost of "${title}" is not known`;
      return null;
    }
    return ms;
  });
  if (computing === null) return untold(why);
  return {
    time: {
      lowMs: startupMs + computing * spread.low,
      likelyMs: startupMs + computing,
      highMs: startupMs + computing * spread.high,
    },
    basis: 'From the operations in the graphs and the measured speed of this machine; a first run tells it better',
  };
}

/** GFLOP/s of one thread on a large convolution and matrix product. */
function speedOfOneThread(speed: readonly SpeedFacts[]): number | undefined {
  const [least] = speed.filter(({ device }) => device === 'cpu').toSorted((a, b) => a.threads - b.threads);
  return least && least.gflops / least.threads ** 0.95;
}

interface Machine {
  readonly gflops: number;
  readonly threads: number;
  /** 0 where the threads share each operator instead. */
  readonly lanes: number;
}

/** Microseconds that an operator takes beside its arithmetic, on a machine of so many GFLOP/s. */
const operatorUs = (gflops: number): number => (2.1 * 75) / gflops;
/** Multiply-adds and more of a network for digits, where the shares below were measured. */
const smallFlops = 8.4e5;

/**
 * Share of the measured speed that gradients of a network reach: 0.37 at LeNet-5's size, where pooling, activations and
 * memory count, rising to nearly all at ResNet-18's (docs/results.md, speed).
 */
const efficiencyOf = (forwardFlops: number): number =>
  Math.min(0.95, 0.37 * Math.max(0.05, forwardFlops / smallFlops) ** 0.14);

/** Processes share work well; threads share the operators of small networks badly. */
function gainOf(forwardFlops: number, { isAlone }: Manner, { threads, lanes }: Machine): number {
  if (isAlone) return 1;
  if (lanes > 0) return lanes ** 0.95;
  return threads ** (forwardFlops < 5e6 ? 0.5 : 0.95);
}

/** Milliseconds of one image; null where the derivative does not exist. */
function msOfPass(cost: Cost, pass: Pass, manner: Manner, machine: Machine): number | null {
  const { forwardFlops, operators } = cost;
  const [beside, count] = {
    forward: [0, operators.forward] as const,
    'input-gradient': [cost.inputGradientFlops, operators.inputGradient] as const,
    'parameter-gradient': [cost.parameterGradientFlops, operators.parameterGradient] as const,
    'second-order': [cost.secondOrderFlops, operators.secondOrder] as const,
  }[pass];
  if (beside === null || count === null) return null;
  const speed = machine.gflops * 1e6 * efficiencyOf(forwardFlops) * gainOf(forwardFlops, manner, machine);
  return (forwardFlops + beside) / speed + (count * operatorUs(machine.gflops)) / 1000 / manner.batch;
}

const mebibyte = 2 ** 20;
/** Resident memory of a process with the runtime loaded, measured: 230 MiB of a job, 200 MiB of a lane. */
const processBytes = { job: 230 * mebibyte, lane: 200 * mebibyte } as const;
/** Values of a forward pass are kept for the gradient, whose own are as many, beside copies in transit. */
const copies = { activations: 5, parameters: 6 } as const;

/** Bytes of the job and of its lanes, about. */
function memoryOf(
  { lanes, keptBytes, batchSize }: Footprint,
  { models }: RunScale,
): { readonly job: number; readonly lanes: number } {
  const computing = Object.values(models).reduce(
    (sum, { activations, parameters }) =>
      sum + 4 * (copies.activations * batchSize * activations + copies.parameters * parameters),
    0,
  );
  return { job: processBytes.job + keptBytes + computing, lanes: lanes * (processBytes.lane + computing) };
}
