import { invariant } from '../base/errors.ts';
import { float32, floatsOf, sizeOf, tensor, type Tensor } from '../base/tensor.ts';
import type { CompiledLoop } from '../runtime/loop.ts';
import { takeRows } from './perturbation.ts';
import { rowOf } from './task.ts';
import { padded } from './victim.ts';

/** One row for each sample of a task. */
export interface Rows {
  readonly data: Float32Array;
  /** Of one row. */
  readonly dims: readonly number[];
}

export interface RowFeeds {
  /** Read and written back. */
  readonly state: Readonly<Record<string, Rows>>;
  readonly shared: Readonly<Record<string, Rows>>;
  readonly scalars: Readonly<Record<string, number>>;
  /** Fed by step, for all rows of the compiled batch. */
  readonly steps: Readonly<Record<string, Tensor>>;
}

/**
 * Runs a chunk of a Loop on some samples of a task: their rows are gathered into the compiled batch, and what the loop
 * carries is scattered back. Gives the traces [count, batch, …].
 */
export async function runOnRows(
  loop: CompiledLoop,
  samples: readonly number[],
  batch: number,
  count: number,
  { state, shared, scalars, steps }: RowFeeds,
): Promise<Record<string, Tensor>> {
  const gather = ({ data, dims }: Rows): Tensor => {
    const width = sizeOf(dims);
    return float32([batch, ...dims], padded(takeRows(data, width, samples), width, 0, samples.length, batch));
  };
  const all = (rows: Readonly<Record<string, Rows>>): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(rows).map(([name, value]) => [name, gather(value)]));
  const result = await loop.run({
    count,
    state: all(state),
    steps,
    shared: {
      ...all(shared),
      ...Object.fromEntries(
        Object.entries(scalars).map(([name, value]) => [name, tensor('float32', [], Float32Array.of(value))]),
      ),
    },
  });
  for (const [name, { data, dims }] of Object.entries(state)) {
    const next = result.state[name];
    invariant(next, `the loop carries ${name}`);
    const width = sizeOf(dims);
    const rows = floatsOf(next);
    samples.forEach((sample, row) => data.set(rowOf(rows, width, row), sample * width));
  }
  return result.trace;
}

/** The numbers of a trace [count, batch]. */
export function traceOf(traces: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  const value = traces[name];
  invariant(value, `the loop traces ${name}`);
  return floatsOf(value);
}
