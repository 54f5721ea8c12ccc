import { tensor } from '../../base/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { arrayOf } from '../filled.ts';
import { product, upTo } from './node-parts.ts';
import type { PoolAxis } from './pool-parts.ts';

/** A linear map along one axis: `rows` outputs from `columns` inputs, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

export function matrixOf(rows: number, columns: number, value: (row: number, column: number) => number): Matrix {
  return {
    rows,
    columns,
    values: Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
  };
}

export const transposed = (m: Matrix): Matrix =>
  matrixOf(m.columns, m.rows, (row, column) => m.values[column * m.columns + row] ?? 0);

/** Ones where −before ≤ column − row ≤ after. */
export const bandMatrix = (size: number, before: number, after: number): Matrix =>
  matrixOf(size, size, (row, column) => (column - row >= -before && column - row <= after ? 1 : 0));

const isIdentity = (m: Matrix): boolean =>
  m.rows === m.columns && m.values.every((value, i) => value === (i % (m.columns + 1) === 0 ? 1 : 0));

/** `x` with the matrix applied along `axis`, as a MatMul with a constant. */
export function multiplyAlong(g: GraphBuilder, x: Value, axis: number, m: Matrix): Value {
  if (isIdentity(m)) return x;
  const constant = (n: Matrix): Value => g.constant(tensor(x.dtype, [n.rows, n.columns], arrayOf(x.dtype, n.values)));
  const rank = x.shape.length;
  const resized = x.shape.map((size, i) => (i === axis ? m.rows : size));
  if (axis === rank - 1) {
    const rows = g.reshape(x, [product(x.shape.slice(0, -1)), m.columns]);
    return g.reshape(g.matmul(rows, constant(transposed(m))), resized);
  }
  // [before, axis, after]: the matrix from the left, for each of `before`.
  const [before, after] = [product(x.shape.slice(0, axis)), product(x.shape.slice(axis + 1))];
  return g.reshape(g.matmul(constant(m), g.reshape(x, [before, m.columns, after])), resized);
}

/** Does output i copy input ⌊i/k⌋? Then k, else undefined. */
export function repeatFactor(m: Matrix): number | undefined {
  const k = m.rows / m.columns;
  if (!Number.isInteger(k)) return undefined;
  const repeats = upTo(m.rows).every((row) =>
    upTo(m.columns).every((column) => m.values[row * m.columns + column] === (column === Math.floor(row / k) ? 1 : 0)),
  );
  return repeats ? k : undefined;
}

/** Which inputs each window of a pool reads along one axis, with a weight for each window. */
export function windowMatrix(axis: PoolAxis, weight: (row: number) => number): Matrix {
  return matrixOf(axis.count, axis.size, (row, column) => {
    const offset = column + axis.begin - row * axis.stride;
    const inside = offset >= 0 && offset < axis.kernel * axis.dilation && offset % axis.dilation === 0;
    return inside && column < axis.size + Math.min(0, axis.end) ? weight(row) : 0;
  });
}
