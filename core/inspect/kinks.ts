import { stream } from '../base/rng.ts';
import { float32, type FloatTensor } from '../base/tensor.ts';
import type { Comparison } from './compare.ts';

/** Beyond this relative error a gradient is wrong, not on the other side of a kink. */
const mostByKink = 0.1;

/** Whether logits and loss agree and each gradient that does not is near: what a kink within rounding of x looks like. */
export function differsAsOnKink(comparisons: readonly Comparison[]): boolean {
  const wrong = comparisons.filter(({ passed }) => !passed);
  return (
    wrong.length > 0 &&
    wrong.every(
      ({ name, relativeError }) =>
        name !== 'logits' && name !== 'loss' && relativeError !== null && relativeError <= mostByKink,
    )
  );
}

/** Relative change of a pixel at the first attempt, two steps of float32; it doubles with each. */
const nudge = 2.4e-7;

/** The images with each pixel changed by about its rounding, up or down. */
export function nudged(x: FloatTensor, attempt: number): FloatTensor {
  const rng = stream(0, 'nudge', attempt);
  const change = nudge * 2 ** attempt;
  return float32(
    x.dims,
    x.data.map((value) => value * (1 + (rng.uniform() < 0.5 ? -change : change))),
  );
}

/** The comparisons beside the kink; those that differed at x say why they pass. */
export function onKink(plain: readonly Comparison[], beside: readonly Comparison[]): Comparison[] {
  return beside.map((comparison, i) => {
    const before = plain[i];
    if (!before || before.passed) return comparison;
    const error = before.relativeError?.toExponential(1) ?? '–';
    const note = `${error} at x itself, which lies within rounding of a kink`;
    return { ...comparison, note: comparison.note === undefined ? note : `${comparison.note}; ${note}` };
  });
}
