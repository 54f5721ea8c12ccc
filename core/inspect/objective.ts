import type { GraphBuilder, Value } from '../autodiff/builder.ts';

/** [N, K] from class scores [N, K] or [N, K, 1, …]. */
export const flatLogits = (g: GraphBuilder, logits: Value): Value => g.reshape(logits, logits.shape.slice(0, 2));

/** The entry of each row that `labels` [N] int64 names: [N]. A label outside 0 … K − 1 is refused when the graph runs. */
export function pick(g: GraphBuilder, rows: Value, labels: Value): Value {
  const [n = 1] = rows.shape;
  return g.reshape(g.gatherElements(rows, g.reshape(labels, [n, 1]), 1), [n]);
}

/** Mean over the images of −log softmax(logits)[label]; logits [N, K], labels [N] int64, result a scalar. */
export function meanCrossEntropy(g: GraphBuilder, logits: Value, labels: Value): Value {
  return g.neg(g.reduceMean(pick(g, g.logSoftmax(logits, 1), labels)));
}

/** Σ ‖v‖² over all values; a scalar. */
export function sumOfSquares(g: GraphBuilder, values: readonly Value[]): Value {
  return g.sumOf(values.map((value) => g.reduceSumSquare(value)));
}
