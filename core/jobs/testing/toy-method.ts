import { setImmediate, setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { float32, floatsOf } from '../../base/tensor.ts';
import { stream } from '../../base/rng.ts';
import { cellSeries, type LiveTable } from '../../contract/live-table.ts';
import { WorkbenchError } from '../../base/errors.ts';
import type { MethodEvent, RunContext } from '../../methods/context.ts';
import type { ResultMetrics } from '../../contract/run.ts';
import { defineMethod, ui } from '../../methods/define.ts';
import { method, type MethodRegistry } from '../../methods/registry.ts';
import type { JobInputs } from '../inputs.ts';
import { hashFiles } from '../inputs.ts';

/** A random walk in 16 dimensions that shows every kind of event; `behaviour` makes it misbehave at half its steps. */
const walkSpec = defineMethod({
  id: 'walk',
  version: 1,
  title: 'Random walk',
  summary: 'Adds seeded normal numbers.',
  papers: [],
  purpose: 'Shows that jobs work.',
  models: {},
  data: {},
  params: z.strictObject({
    steps: z.int().positive().default(60).register(ui, { title: 'Steps' }),
    seed: z.int().min(0).default(0).register(ui, { title: 'Seed' }),
    /** Stands for the work of a step. */
    stepMs: z.number().min(0).default(0).register(ui, { title: 'Time of a step' }),
    behaviour: z
      .enum(['good', 'hangs', 'throws', 'loses-lane', 'diverges', 'exits', 'aborts', 'nan-result', 'fast'])
      .default('good')
      .register(ui, { title: 'Behaviour' }),
  }),
  recipes: {},
  metrics: { distance: { title: 'Distance', unit: '1' } },
  work: [['steps']],
  columns: ['distance'],
});

type Params = z.output<(typeof walkSpec)['params']>;

const size = 16;

/** Of the two legs only the first is measured. */
const legs = (steps: number): LiveTable => ({
  name: 'legs',
  title: 'Legs',
  unit: '1',
  rowTitle: 'Leg',
  columnTitle: 'Its',
  rows: [
    { label: 'first', kind: 'usual' },
    { label: 'second', kind: 'usual' },
  ],
  columns: ['length'],
  total: Math.ceil(steps / 2),
  of: 'steps',
});

async function* run(context: RunContext<Params>): AsyncGenerator<MethodEvent, ResultMetrics, void> {
  const { steps, seed, stepMs, behaviour } = context.params;
  const batch = Math.ceil(steps / 6);
  const position = context.resume
    ? floatsOf(context.resume.tensors['position'] ?? float32([0], []))
    : new Float32Array(size);
  const parts = { ...context.resume?.parts };
  yield { type: 'table', table: legs(steps) };
  const kept = context.resume?.json;
  let longest = typeof kept === 'number' ? kept : Number.NEGATIVE_INFINITY;
  for (let step = context.resume?.step ?? 0; step < steps; step++) {
    context.signal.throwIfAborted();
    if (behaviour !== 'fast') await (stepMs > 0 ? setTimeout(stepMs) : setImmediate());
    if (step === Math.floor(steps / 2)) {
      if (behaviour !== 'good') yield { type: 'log', level: 'info', message: 'Half way' };
      misbehave(behaviour);
    }
    const rng = stream(seed, 'step', step);
    for (let i = 0; i < size; i++) position[i]! += rng.normal();
    const distance = Math.hypot(...position);
    longest = Math.max(longest, distance);
    yield {
      type: 'metric',
      name: 'distance',
      step,
      value: behaviour === 'diverges' && step > 5 ? Number.NaN : distance,
    };
    if (step < steps / 2)
      yield { type: 'metric', name: cellSeries(legs(steps), 'first', 'length'), step: step + 1, value: distance };
    if (step % batch === batch - 1) {
      const name = `position-${step}`;
      parts[name] = float32([size], position.slice());
      yield artifactOf(name, position);
    }
    yield { type: 'progress', phase: 'walk', step: step + 1, totalSteps: steps, fraction: (step + 1) / steps };
    const done = step + 1;
    yield {
      type: 'checkpoint',
      capture: () => ({
        phase: 'walk',
        step: done,
        json: longest,
        tensors: { position: float32([size], position.slice()) },
        parts,
      }),
    };
  }
  yield { type: 'log', level: 'info', message: 'Walked' };
  yield artifactOf('last', position);
  yield {
    type: 'artifact',
    name: 'summary',
    title: 'Summary',
    content: { json: { longest, parts: Object.keys(parts) } },
  };
  return { distance: behaviour === 'nan-result' ? Number.NaN : Math.hypot(...position), longest };
}

function artifactOf(name: string, position: Float32Array): MethodEvent {
  const bytes = new Uint8Array(position.slice().buffer);
  return { type: 'artifact', name, title: name, content: { bytes, mediaType: 'application/octet-stream' } };
}

function misbehave(behaviour: Params['behaviour']): void {
  if (behaviour === 'throws') throw new WorkbenchError('DATA_UNSUITABLE', 'The walk met a wall');
  if (behaviour === 'loses-lane') throw new WorkbenchError('JOB_CRASHED', 'A computing process ended with SIGKILL');
  if (behaviour === 'exits') process.exit(7);
  if (behaviour === 'aborts') process.abort();
  if (behaviour === 'hangs') hang();
}

/** Answers nothing and ends with the parent only, which a test may kill. */
function hang(): void {
  const parent = process.ppid;
  while (process.ppid === parent);
}

export const toyRegistry: MethodRegistry = { walk: method(walkSpec, async () => ({ run })) };

export const toyInputs: JobInputs = {
  async resolveDevice(asked) {
    if (asked === 'auto' || asked === 'cpu') return 'cpu';
    throw new WorkbenchError('DEVICE_UNAVAILABLE', `Device "${asked}" is not here`);
  },
  hashWeights: async () => ({}),
  filesBeside: async () => [],
  ...hashFiles,
};
