import { invariant } from '../base/errors.ts';

/** A loss and its gradient at one point. */
export interface Evaluated {
  readonly loss: number;
  readonly gradient: Float64Array<ArrayBuffer>;
}
export type Evaluate = (x: Float64Array<ArrayBuffer>) => Promise<Evaluated>;

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** x + factor · direction, as a new vector. */
export function moved(x: Float64Array, direction: Float64Array, factor: number): Float64Array<ArrayBuffer> {
  invariant(x.length === direction.length, 'a step has as many entries as what it moves');
  const out = new Float64Array(x);
  addTo(out, direction, factor);
  return out;
}

/** out ← out + factor · direction */
export function addTo(out: Float64Array, direction: Float64Array, factor: number): void {
  for (let i = 0; i < out.length; i++) out[i]! += factor * direction[i]!;
}

/** max |x|; not-a-number when there is one in it, as in PyTorch. */
export function largest(x: Float64Array): number {
  let most = 0;
  for (const value of x) {
    if (Number.isNaN(value)) return Number.NaN;
    most = Math.max(most, Math.abs(value));
  }
  return most;
}

/** ‖x‖₁ */
export function sumOfMagnitudes(x: Float64Array): number {
  let sum = 0;
  for (const value of x) sum += Math.abs(value);
  return sum;
}
