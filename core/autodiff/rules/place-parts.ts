import type { SliceRange } from '../../onnx/infer/layout.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';

/**
 * Zeros of `shape` with `x` written at the places that a Slice of these ranges reads: x is reversed along axes with a
 * negative step, spread out with zeros between its elements for a step above 1, then padded.
 */
export function placeStrided(
  g: GraphBuilder,
  x: Value,
  ranges: readonly SliceRange[],
  shape: readonly number[],
): Value {
  if (x.shape.includes(0)) return g.full(shape, 0, x.dtype);
  const backward = ranges.filter(({ step }) => step < 0).map(({ axis }) => axis);
  let value = reverse(g, x, backward);
  const steps = shape.map((_, axis) => Math.abs(ranges.find((range) => range.axis === axis)?.step ?? 1));
  const stretched = steps.map((step, axis) => ((value.shape[axis] ?? 0) > 1 ? step : 1));
  if (stretched.some((step) => step > 1)) value = interleaveZeros(g, value, stretched);
  const begins = shape.map((_, axis) => {
    const range = ranges.find((other) => other.axis === axis);
    if (!range) return 0;
    return range.step > 0 ? range.start : range.start + (range.count - 1) * range.step;
  });
  const ends = shape.map((size, axis) => size - (begins[axis] ?? 0) - (value.shape[axis] ?? 0));
  return padOrCrop(g, value, begins, ends);
}

/** [n] → [(n − 1)·step + 1 …] with step − 1 zeros between neighbours, on every axis with a step above 1. */
function interleaveZeros(g: GraphBuilder, x: Value, steps: readonly number[]): Value {
  const split: number[] = [];
  const after: number[] = [];
  const merged: number[] = [];
  x.shape.forEach((size, axis) => {
    const step = steps[axis] ?? 1;
    split.push(size);
    after.push(0);
    if (step > 1) {
      split.push(1);
      after.push(step - 1);
    }
    merged.push(size * step);
  });
  const spread = g.pad(g.reshape(x, split), [...after.map(() => 0), ...after]);
  const trim = x.shape.map((_, axis) => 1 - (steps[axis] ?? 1));
  return padOrCrop(
    g,
    g.reshape(spread, merged),
    trim.map(() => 0),
    trim,
  );
}

export function reverse(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x;
  return g.slice(
    x,
    axes,
    axes.map(() => -1),
    axes.map(() => -(2 ** 31)),
    axes.map(() => -1),
  );
}

/** Zeros added, or elements removed where the number is negative, at the begin and end of each axis. */
export function padOrCrop(g: GraphBuilder, x: Value, begins: readonly number[], ends: readonly number[]): Value {
  const axes = x.shape.flatMap((_, axis) => ((begins[axis] ?? 0) < 0 || (ends[axis] ?? 0) < 0 ? [axis] : []));
  const cropped =
    axes.length === 0
      ? x
      : g.slice(
          x,
          axes,
          axes.map((axis) => Math.max(0, -(begins[axis] ?? 0))),
          axes.map((axis) => (x.shape[axis] ?? 0) - Math.max(0, -(ends[axis] ?? 0))),
        );
  return g.pad(cropped, [...begins.map((p) => Math.max(0, p)), ...ends.map((p) => Math.max(0, p))]);
}
