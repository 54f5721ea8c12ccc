import { invariant } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';

/**
 * What an attack makes larger, per image, with z the logits, y the label, t the target and z(1) ≥ z(2) ≥ … the sorted
 * logits:
 * - `cross-entropy`: −log softmax(z)_y; `cross-entropy-targeted`: log softmax(z)_t
 * - `margin`: max_{j≠y} z_j − z_y; `margin-targeted`: z_t − max_{j≠t} z_j
 * - `dlr`: −(z_y − max_{j≠y} z_j) / (z(1) − z(3) + 1e-12), at least 3 classes
 * - `dlr-targeted`: −(z_y − z_t) / (z(1) − (z(3) + z(4)) / 2 + 1e-12), at least 4 classes
 * The last two are Croce & Hein 2020, "Reliable evaluation of adversarial robustness", equations 6 and 7.
 */
export type Objective =
  'cross-entropy' | 'cross-entropy-targeted' | 'margin' | 'margin-targeted' | 'dlr' | 'dlr-targeted';

export interface GoalRows {
  /** [B, K] one-hot. */
  readonly labels: Value;
  /** [B, K] one-hot; needed by the targeted objectives. */
  readonly targets: Value | undefined;
}

/** Loss [B] and its derivative by the logits [B, K], with the ranks of the logits held fixed. */
export function cotangentOf(
  g: GraphBuilder,
  objective: Objective,
  logits: Value,
  { labels, targets }: GoalRows,
): { readonly loss: Value; readonly cotangent: Value } {
  const goal = (): Value => {
    invariant(targets, `${objective} has targets`);
    return targets;
  };
  switch (objective) {
    case 'cross-entropy': {
      const loss = g.neg(entryOf(g, g.logSoftmax(logits, 1), labels));
      return { loss: flat(g, loss), cotangent: g.sub(g.softmax(logits, 1), labels) };
    }
    case 'cross-entropy-targeted': {
      const loss = entryOf(g, g.logSoftmax(logits, 1), goal());
      return { loss: flat(g, loss), cotangent: g.sub(goal(), g.softmax(logits, 1)) };
    }
    case 'margin':
      return marginOf(g, logits, labels, 1);
    case 'margin-targeted':
      return marginOf(g, logits, goal(), -1);
    case 'dlr': {
      const ranked = rankedRows(g, logits, 3);
      const other = bestOther(g, logits, labels);
      const span = g.sub(ranked[0]!, ranked[2]!);
      return quotient(g, logits, g.sub(other, labels), span);
    }
    case 'dlr-targeted': {
      const ranked = rankedRows(g, logits, 4);
      const span = g.sub(ranked[0]!, g.mul(g.add(ranked[2]!, ranked[3]!), 0.5));
      return quotient(g, logits, g.sub(goal(), labels), span);
    }
  }
}

/** Σ_k z_k rows_k as [B, 1]. */
const entryOf = (g: GraphBuilder, z: Value, rows: Value): Value => g.reduceSum(g.mul(z, rows), [1], true);
const flat = (g: GraphBuilder, rows: Value): Value => g.reshape(rows, [rows.shape[0] ?? 1]);

/** ⟨z, above⟩ / (⟨z, below⟩ + 1e-12) by the quotient rule. */
function quotient(g: GraphBuilder, logits: Value, above: Value, below: Value): { loss: Value; cotangent: Value } {
  const denominator = g.add(entryOf(g, logits, below), 1e-12);
  const loss = g.div(entryOf(g, logits, above), denominator);
  return { loss: flat(g, loss), cotangent: g.div(g.sub(above, g.mul(below, loss)), denominator) };
}

/** sign · (best other logit − logit of `rows`). */
function marginOf(g: GraphBuilder, logits: Value, rows: Value, sign: 1 | -1): { loss: Value; cotangent: Value } {
  const cotangent = g.mul(g.sub(bestOther(g, logits, rows), rows), sign);
  return { loss: flat(g, entryOf(g, logits, cotangent)), cotangent };
}

/** One-hot of the largest logit that is not the one of `rows`. The mask is far below any logit, never 0. */
function bestOther(g: GraphBuilder, logits: Value, rows: Value): Value {
  const masked = g.where(g.greater(rows, 0.5), -1e30, logits);
  return hotRow(g, g.argMax(masked, 1), logits);
}

/** One-hot rows of the `count` largest logits, largest first. */
function rankedRows(g: GraphBuilder, logits: Value, count: number): readonly Value[] {
  const [, indices] = g.op('TopK', [logits, g.ints([count])], { axis: { type: 'int', value: 1 } }, { outputs: 2 });
  invariant(indices, 'TopK has two outputs');
  return Array.from({ length: count }, (_, rank) =>
    hotRow(g, g.reshape(g.slice(indices, [1], [rank], [rank + 1]), [logits.shape[0] ?? 1]), logits),
  );
}

const hotRow = (g: GraphBuilder, indices: Value, logits: Value): Value => g.oneHot(indices, logits.shape[1] ?? 1);

/** [B, 1]: 1 where the largest logit is that of the one-hot `rows`, else 0. */
export function isPredicted(g: GraphBuilder, logits: Value, rows: Value): Value {
  return entryOf(g, hotRow(g, g.argMax(logits, 1), logits), rows);
}
