import { decimate, maxPoints, type Point } from '../../core/report/decimate.ts';

/** A curve that grows: points in order of their step, kept in two typed arrays. */
export interface SeriesBuffer {
  readonly length: number;
  readonly lastStep: number;
  readonly last: { readonly step: number; readonly value: number } | undefined;
  /** Appends; a step that is not after the last one is left out, as after a resume from a checkpoint. */
  push(step: number, value: number): void;
  /** At most `limit` points that look like all of them. */
  view(limit?: number): readonly Point[];
}

const firstCapacity = 256;

export function seriesBuffer(points: readonly { readonly step: number; readonly value: number }[] = []): SeriesBuffer {
  let steps = new Float64Array(Math.max(firstCapacity, points.length));
  let values = new Float64Array(steps.length);
  let length = 0;
  let seen: { readonly length: number; readonly limit: number; readonly points: readonly Point[] } | undefined;

  const grow = (): void => {
    const [moreSteps, moreValues] = [new Float64Array(2 * steps.length), new Float64Array(2 * steps.length)];
    moreSteps.set(steps);
    moreValues.set(values);
    [steps, values] = [moreSteps, moreValues];
  };
  const buffer: SeriesBuffer = {
    get length() {
      return length;
    },
    get lastStep() {
      return length === 0 ? Number.NEGATIVE_INFINITY : steps[length - 1]!;
    },
    get last() {
      return length === 0 ? undefined : { step: steps[length - 1]!, value: values[length - 1]! };
    },
    push(step, value) {
      if (step <= buffer.lastStep) return;
      if (length === steps.length) grow();
      steps[length] = step;
      values[length] = value;
      length++;
    },
    view(limit = maxPoints) {
      if (seen?.length === length && seen.limit === limit) return seen.points;
      const taken = length <= limit ? pointsOf(steps, values, length) : extremes(steps, values, length, limit);
      seen = { length, limit, points: taken };
      return taken;
    },
  };
  for (const { step, value } of points) buffer.push(step, value);
  return buffer;
}

function pointsOf(steps: Float64Array, values: Float64Array, length: number): readonly Point[] {
  const points = Array.from({ length }, (_, i): Point => [steps[i]!, values[i]!]);
  return decimate(points, length);
}

/** As decimate does, without an object for each of a million points: lowest and highest of each bucket, and the ends. */
function extremes(steps: Float64Array, values: Float64Array, length: number, limit: number): readonly Point[] {
  const buckets = Math.max(1, Math.floor((limit - 2) / 2));
  const points: Point[] = [];
  const keep = (i: number): void => {
    if (i >= 0 && Number.isFinite(values[i]!)) points.push([steps[i]!, values[i]!]);
  };
  keep(0);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = 1 + Math.floor((bucket * (length - 2)) / buckets);
    const end = 1 + Math.floor(((bucket + 1) * (length - 2)) / buckets);
    let low = -1;
    let high = -1;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      if (low < 0 || value < values[low]!) low = i;
      if (high < 0 || value > values[high]!) high = i;
    }
    keep(Math.min(low, high));
    if (high !== low) keep(Math.max(low, high));
  }
  keep(length - 1);
  return points;
}
