import { invariant } from '../base/errors.ts';
import { float32, floatsOf, type Tensor } from '../base/tensor.ts';

export interface Comparison {
  /** As in the reference: `logits`, `dp/fc.weight`. */
  readonly name: string;
  /** ‖ours − theirs‖ / ‖theirs‖, in L2; null where nothing could be compared. */
  readonly relativeError: number | null;
  readonly tolerance: number;
  readonly passed: boolean;
  /** ‖theirs‖ in L2. */
  readonly referenceNorm: number | null;
  readonly note?: string;
}

/**
 * ‖ours − theirs‖ / ‖theirs‖ against the tolerance. Where both norms are at most `zeroBelow`, both are zero but for
 * rounding, and their ratio says nothing.
 */
export function compare(
  name: string,
  ours: Tensor,
  theirs: Tensor,
  tolerance: number,
  { note, zeroBelow = 0 }: { note?: string | undefined; zeroBelow?: number } = {},
): Comparison {
  if (ours.data.length !== theirs.data.length) {
    const expected = `expected shape [${ours.dims.join(', ')}], got [${theirs.dims.join(', ')}]`;
    return failed(name, tolerance, expected);
  }
  const referenceNorm = norm(theirs.data);
  const distance = norm(theirs.data, ours.data);
  const relativeError = referenceNorm === 0 ? distance : distance / referenceNorm;
  const isZero = referenceNorm <= zeroBelow && norm(ours.data) <= zeroBelow;
  const passed = relativeError <= tolerance || isZero;
  const notes = [
    ...(note === undefined ? [] : [note]),
    ...(isZero && relativeError > tolerance ? ['zero but for rounding on both sides'] : []),
  ];
  return {
    name,
    relativeError: Number.isFinite(relativeError) ? relativeError : null,
    tolerance,
    passed,
    referenceNorm: Number.isFinite(referenceNorm) ? referenceNorm : null,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  };
}

export const failed = (name: string, tolerance: number, note: string): Comparison => ({
  name,
  relativeError: null,
  tolerance,
  passed: false,
  referenceNorm: null,
  note,
});

/** ‖a − b‖ in L2, or ‖a‖ without b. */
export function norm(a: ArrayLike<number | bigint>, b?: ArrayLike<number | bigint>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (Number(a[i]!) - (b === undefined ? 0 : Number(b[i]!))) ** 2;
  return Math.sqrt(total);
}

export function sum(tensors: readonly (Tensor | undefined)[]): Tensor {
  const [first] = tensors;
  invariant(first, 'a sum has terms');
  const total = new Float32Array(first.data.length);
  for (const tensor of tensors) {
    if (tensor) floatsOf(tensor).forEach((value, i) => (total[i]! += value));
  }
  return float32(first.dims, total);
}
