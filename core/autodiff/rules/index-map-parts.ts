import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { padOrCrop, reverse } from './place-parts.ts';

/** Neighbouring entries of an index map that go up by 1, down by 1 or stay. */
interface Run {
  readonly from: number;
  readonly length: number;
  readonly first: number;
  readonly step: number;
}

function runsOf(map: readonly number[]): Run[] {
  const runs: Run[] = [];
  let from = 0;
  while (from < map.length) {
    const first = map[from] ?? 0;
    const step = (map[from + 1] ?? Number.NaN) - first;
    let length = 1;
    if (Math.abs(step) <= 1)
      while (from + length < map.length && map[from + length] === first + step * length) length++;
    runs.push({ from, length, first, step: length > 1 ? step : 1 });
    from += length;
  }
  return runs;
}

/** How many slices `gatherAdjoint` would take. */
export const runCount = (map: readonly number[]): number => runsOf(map).length;

/**
 * The transpose of reading along an axis by constant indices: at j the sum of dY[i] over all i with map[i] = j. One slice
 * and one Pad for each run of the map.
 */
export function gatherAdjoint(g: GraphBuilder, dY: Value, axis: number, map: readonly number[], size: number): Value {
  const terms = runsOf(map).map((run) => {
    const whole = run.length === map.length;
    const part = whole ? dY : g.slice(dY, [axis], [run.from], [run.from + run.length]);
    const value = run.step === 0 ? g.reduceSum(part, [axis], true) : run.step < 0 ? reverse(g, part, [axis]) : part;
    const begin = run.step < 0 ? run.first - run.length + 1 : run.first;
    const at = (amount: number): number[] => dY.shape.map((_, i) => (i === axis ? amount : 0));
    return padOrCrop(g, value, at(begin), at(size - begin - (value.shape[axis] ?? 0)));
  });
  return g.sumOf(terms);
}
