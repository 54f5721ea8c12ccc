import type { InferContext, InferRule } from '../infer.ts';
import {
  broadcast,
  fail,
  intAttribute,
  ofRank,
  required,
  sameDtype,
  shapeText,
  stringAttribute,
  typeOf,
} from './access.ts';

/** numpy.matmul: 1-D operands are promoted, leading dimensions broadcast. */
const matMul: InferRule = (context) => {
  const [A, B] = [required(context, 0), required(context, 1)];
  if (A.shape.length === 0 || B.shape.length === 0) fail(context, 'expected operands of rank 1 or more, got a scalar');
  const a = A.shape.length === 1 ? [1, ...A.shape] : A.shape;
  const b = B.shape.length === 1 ? [...B.shape, 1] : B.shape;
  const [M, K, L, N] = [a.at(-2) ?? 1, a.at(-1) ?? 1, b.at(-2) ?? 1, b.at(-1) ?? 1];
  if (K !== L) fail(context, `expected equal inner dimensions, got ${K} and ${L}`);
  const batch = broadcast(context, [a.slice(0, -2), b.slice(0, -2)]);
  const rows = A.shape.length === 1 ? [] : [M];
  const columns = B.shape.length === 1 ? [] : [N];
  return [typeOf(sameDtype(context, 0, 2), [...batch, ...rows, ...columns])];
};

/** Y = alpha·op(A)·op(B) + beta·C, C broadcastable to [M, N]. */
const gemm: InferRule = (context) => {
  const [A, B] = [ofRank(context, 0, 2).shape, ofRank(context, 1, 2).shape];
  const [M, K] = intAttribute(context, 'transA', 0) ? [A[1] ?? 0, A[0] ?? 0] : [A[0] ?? 0, A[1] ?? 0];
  const [L, N] = intAttribute(context, 'transB', 0) ? [B[1] ?? 0, B[0] ?? 0] : [B[0] ?? 0, B[1] ?? 0];
  if (K !== L) fail(context, `expected equal inner dimensions, got ${K} and ${L}`);
  const C = context.inputs[2];
  if (C !== undefined) {
    const wide = broadcast(context, [[M, N], C.shape]);
    if (wide.length !== 2 || wide[0] !== M || wide[1] !== N) {
      fail(context, `expected C that broadcasts to ${shapeText([M, N])}, got ${shapeText(C.shape)}`);
    }
  }
  return [typeOf(sameDtype(context), [M, N])];
};

/** Labels of one operand against its shape; '...' stands for the leading dimensions that no label names. */
function readTerm(
  context: InferContext,
  term: string,
  shape: readonly number[],
  sizes: Map<string, number>,
): readonly number[] {
  const [before = '', after] = term.split('...');
  const labels = [...before, ...(after ?? '')];
  const hidden = shape.length - labels.length;
  if (hidden < 0 || (after === undefined && hidden > 0)) {
    fail(context, `expected term ${term} to name every dimension of ${shapeText(shape)}`);
  }
  labels.forEach((label, i) => {
    const dim = shape[i < before.length ? i : i + hidden] ?? 1;
    const known = sizes.get(label) ?? 1;
    if (known !== 1 && dim !== 1 && known !== dim)
      fail(context, `expected one size for index ${label}, got ${known} and ${dim}`);
    sizes.set(label, Math.max(known, dim));
  });
  return shape.slice(before.length, before.length + hidden);
}

/** Einstein summation, explicit or implicit output, with '...'. */
const einsum: InferRule = (context) => {
  const equation = stringAttribute(context, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const terms = left.split(',');
  if (terms.length !== context.inputs.length) {
    fail(
      context,
      `expected one term of "${equation}" for each input, got ${terms.length} and ${context.inputs.length}`,
    );
  }
  const sizes = new Map<string, number>();
  const hidden = terms.map((term, i) => readTerm(context, term, required(context, i).shape, sizes));
  const seen = hidden.filter((_, i) => terms[i]?.includes('...'));
  // onnxruntime crashes on some of these, and refuses the others.
  if (seen.some((dims) => dims.length !== seen[0]?.length)) {
    fail(context, `expected "..." to stand for as many dimensions in each term, got ${seen.map(shapeText).join(', ')}`);
  }
  const ellipsis = broadcast(context, hidden);
  const labels = [...left].filter((label) => /[A-Za-z]/.test(label));
  const once = [...new Set(labels)].filter((label) => labels.indexOf(label) === labels.lastIndexOf(label)).sort();
  const result = right ?? `${left.includes('...') ? '...' : ''}${once.join('')}`;
  const [before = '', after] = result.split('...');
  const size = (label: string): number =>
    sizes.get(label) ?? fail(context, `expected output index ${label} to occur in an input of "${equation}"`);
  const shape = [...[...before].map(size), ...(after === undefined ? [] : ellipsis), ...[...(after ?? '')].map(size)];
  return [typeOf(sameDtype(context), shape)];
};

export const linear: Readonly<Record<string, InferRule>> = { MatMul: matMul, Gemm: gemm, Einsum: einsum };
