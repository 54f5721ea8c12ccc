import { arrayOf } from '../filled.ts';
import { sizeOf, tensor, type Tensor } from '../../base/tensor.ts';
import type { Rng } from '../../base/rng.ts';
import type { Attribute } from '../../onnx/graph.ts';

/** Numbers for all elements of an input, kept away from the operator's kinks and poles. */
export type Domain = (rng: Rng, size: number) => readonly number[];

export type CaseInput =
  | { readonly kind: 'variable'; readonly shape: readonly number[]; readonly domain: Domain }
  | { readonly kind: 'constant'; readonly value: Tensor }
  /** An input that is not differentiated and not known before running. */
  | { readonly kind: 'data'; readonly value: Tensor }
  | { readonly kind: 'absent' };

/** One way to use an operator, whose gradients are checked. */
export interface RuleCase {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  /** float64 unless onnxruntime's CPU provider has no such kernel for the operator or its gradient. */
  readonly dtype?: 'float32' | 'float64';
}

export const normal: Domain = (rng, size) => Array.from({ length: size }, () => rng.normal());

export const between =
  (low: number, high: number): Domain =>
  (rng, size) =>
    Array.from({ length: size }, () => low + (high - low) * rng.uniform());

/** At least ½ away from 0, either sign. */
export const offZero: Domain = (rng, size) =>
  Array.from({ length: size }, () => (0.5 + 1.5 * rng.uniform()) * (rng.uniform() < 0.5 ? -1 : 1));

/** All elements at least `gap` apart, in random order around 0. */
export const apart =
  (gap = 0.5): Domain =>
  (rng, size) => {
    const order = Array.from({ length: size }, (_, i) => i);
    for (let i = size - 1; i > 0; i--) {
      const j = rng.int(i + 1);
      const [a = 0, b = 0] = [order[i], order[j]];
      order[i] = b;
      order[j] = a;
    }
    return order.map((rank) => (rank - size / 2 + 0.25) * gap);
  };

/** A differentiable input. */
export const x = (shape: readonly number[], domain: Domain = normal): CaseInput => ({
  kind: 'variable',
  shape,
  domain,
});

/** A constant vector of integers: axes, shapes, pads. */
export const list = (...values: number[]): CaseInput => constant('int64', [values.length], values);

export const constant = (dtype: Tensor['dtype'], shape: readonly number[], values: readonly number[]): CaseInput => ({
  kind: 'constant',
  value: tensor(dtype, shape, arrayOf(dtype, values)),
});

export const data = (dtype: Tensor['dtype'], shape: readonly number[], values: readonly number[]): CaseInput => ({
  kind: 'data',
  value: tensor(dtype, shape, arrayOf(dtype, values)),
});

export const absent: CaseInput = { kind: 'absent' };

export const valuesOf = (input: CaseInput & { kind: 'variable' }, rng: Rng): readonly number[] =>
  input.domain(rng, sizeOf(input.shape));
