import { permutation, stream } from '../base/rng.ts';
import { invariant } from '../base/errors.ts';

export interface BatchOrder {
  /** Item numbers [batchSize] of a step, counted from 0. */
  at(step: number): Int32Array<ArrayBuffer>;
}

/**
 * An endless order of items: one permutation for each epoch, drawn from stream(seed, name, epoch), one after the other.
 * Batch `step` covers positions step × batchSize …, so batches run over the borders of epochs and all have one size.
 * A step's batch depends on the arguments alone, never on what was asked before; two epochs are kept for speed.
 */
export function createBatchOrder(seed: number, name: string, count: number, batchSize: number): BatchOrder {
  invariant(Number.isInteger(count) && count > 0, `a batch order needs items, got ${count}`);
  invariant(Number.isInteger(batchSize) && batchSize > 0, `a batch order needs a batch size, got ${batchSize}`);
  const epochs = new Map<number, Int32Array>();
  const epochAt = (epoch: number): Int32Array => {
    const known = epochs.get(epoch);
    if (known) return known;
    const order = permutation(stream(seed, name, epoch), count);
    const [oldest] = epochs.keys();
    if (epochs.size >= 2 && oldest !== undefined) epochs.delete(oldest);
    epochs.set(epoch, order);
    return order;
  };
  const at = (step: number): Int32Array<ArrayBuffer> => {
    const batch = new Int32Array(batchSize);
    let filled = 0;
    while (filled < batchSize) {
      const position = step * batchSize + filled;
      const start = position % count;
      const take = Math.min(batchSize - filled, count - start);
      batch.set(epochAt(Math.floor(position / count)).subarray(start, start + take), filled);
      filled += take;
    }
    return batch;
  };
  return { at };
}

/** One batch of `createBatchOrder`, for callers that need no speed. */
export function batchIndices(
  seed: number,
  name: string,
  count: number,
  batchSize: number,
  step: number,
): Int32Array<ArrayBuffer> {
  return createBatchOrder(seed, name, count, batchSize).at(step);
}
