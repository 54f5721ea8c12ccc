import { stream } from '../../base/rng.ts';
import { float32, sizeOf, type FloatTensor } from '../../base/tensor.ts';
import { GraphBuilder, type Value } from '../../autodiff/builder.ts';
import type { Dim, OnnxModel } from '../../onnx/graph.ts';
import { houseModel } from '../../onnx/write.ts';

/** Seeded normal numbers. */
export function randomTensor(shape: readonly number[], key: string): FloatTensor {
  const rng = stream(3, key);
  return float32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => rng.normal() / 2),
  );
}

const built = 3;

/**
 * A classifier [batch, …shape] → logits [batch, K] whose body is `emit`; the batch is symbolic under the name `n`, or
 * fixed.
 */
export function tinyModel(
  shape: readonly number[],
  emit: (g: GraphBuilder, x: Value, parameter: (name: string, shape: readonly number[]) => Value) => Value,
  fixedBatch?: number,
): OnnxModel {
  const g = new GraphBuilder();
  const n = fixedBatch ?? built;
  const declared: Dim = fixedBatch ?? 'n';
  const x = g.input('image', 'float32', [n, ...shape], [declared, ...shape]);
  const parameter = (name: string, dims: readonly number[]): Value => g.constant(randomTensor(dims, name), name);
  g.output('scores', emit(g, x, parameter));
  return houseModel(g.build('tiny', (_, dims) => [declared, ...dims.slice(1)]));
}

/** Convolution, batch-dependent reshapes, pooling and a linear layer: images [1, 6, 6] to 4 classes. */
export const tinyNetwork = (fixedBatch?: number): OnnxModel =>
  tinyModel(
    [1, 6, 6],
    (g, x, parameter) => {
      const h = g.relu(
        g.conv(x, parameter('conv.weight', [3, 1, 3, 3]), parameter('conv.bias', [3]), { pads: [1, 1, 1, 1] }),
      );
      const pooled = g.maxPool(h, { kernel: [2, 2] });
      return g.gemm(g.flatten(pooled), parameter('fc.weight', [4, 27]), { transB: true, c: parameter('fc.bias', [4]) });
    },
    fixedBatch,
  );
