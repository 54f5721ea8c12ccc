import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { int64, sizeOf, tensor, type Tensor } from '../base/tensor.ts';
import type { Attribute } from '../onnx/graph.ts';
import { compile } from '../runtime/session.ts';
import { float, int, ints, string } from './attributes.ts';
import { GraphBuilder } from './builder.ts';
import { gradients } from './differentiate.ts';

type Nested = number | readonly Nested[];

/** At a kink: which gradients the inputs get when every output has cotangent 1. Values are PyTorch 2.13's. */
interface Convention {
  readonly says: string;
  readonly op: string;
  readonly inputs: readonly Nested[];
  readonly gradients: readonly Nested[];
  /** Position of an input of integers, which has no gradient. */
  readonly indices?: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
}

const reduced = { keepdims: int(0) };
const tiles = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };

const conventions: readonly Convention[] = [
  { says: 'the slope of Abs at 0 is 0', op: 'Abs', inputs: [[0, -1, 1]], gradients: [[0, -1, 1]] },
  { says: 'the slope of Relu at 0 is 0', op: 'Relu', inputs: [[0, -1, 1]], gradients: [[0, 0, 1]] },
  {
    says: 'the slope of LeakyRelu at 0 is alpha',
    op: 'LeakyRelu',
    inputs: [[0, 1]],
    gradients: [[0.25, 1]],
    attributes: { alpha: float(0.25) },
  },
  {
    says: 'the slope of PRelu at 0 is the slope input',
    op: 'PRelu',
    inputs: [[0, -1], [0.25]],
    gradients: [[0.25, 0.25], [-1]],
  },
  {
    says: 'the slope of Elu at 0 is alpha',
    op: 'Elu',
    inputs: [[0]],
    gradients: [[0.5]],
    attributes: { alpha: float(0.5) },
  },
  { says: 'the slope of Selu at 0 is alpha·gamma', op: 'Selu', inputs: [[0]], gradients: [[1.7580993408473766]] },
  { says: 'the slope of Celu at 0 is 1', op: 'Celu', inputs: [[0]], gradients: [[1]], attributes: { alpha: float(2) } },
  { says: 'the slope of Softsign at 0 is 1', op: 'Softsign', inputs: [[0]], gradients: [[1]] },
  {
    says: 'HardSigmoid is flat at both ends',
    op: 'HardSigmoid',
    inputs: [[-2, 2]],
    gradients: [[0, 0]],
    attributes: { alpha: float(0.25), beta: float(0.5) },
  },
  { says: 'HardSwish has slope 0 at −3 and 1 at 3', op: 'HardSwish', inputs: [[-3, 3]], gradients: [[0, 1]] },
  { says: 'ThresholdedRelu is flat at its threshold', op: 'ThresholdedRelu', inputs: [[1]], gradients: [[0]] },
  { says: 'Shrink is flat at its threshold', op: 'Shrink', inputs: [[-0.5, 0.5]], gradients: [[0, 0]] },
  {
    says: 'Clip passes the cotangent at both bounds',
    op: 'Clip',
    inputs: [[-1, 1, 2], -1, 1],
    gradients: [[1, 1, 0], 0, 1],
  },
  {
    says: 'equal inputs of Max share the cotangent',
    op: 'Max',
    inputs: [
      [1, 2, 0],
      [1, 0, 3],
    ],
    gradients: [
      [0.5, 1, 0],
      [0.5, 0, 1],
    ],
  },
  { says: 'equal inputs of Min share the cotangent', op: 'Min', inputs: [[1], [1]], gradients: [[0.5], [0.5]] },
  {
    says: 'equal elements share the cotangent of ReduceMax',
    op: 'ReduceMax',
    inputs: [[1, 1, 0, 1]],
    gradients: [[1 / 3, 1 / 3, 0, 1 / 3]],
    attributes: reduced,
  },
  {
    says: 'equal elements share the cotangent of ReduceMin',
    op: 'ReduceMin',
    inputs: [[1, 1, 3]],
    gradients: [[0.5, 0.5, 0]],
    attributes: reduced,
  },
  {
    says: 'the slope of ReduceL1 at 0 is 0',
    op: 'ReduceL1',
    inputs: [[0, 2]],
    gradients: [[0, 1]],
    attributes: reduced,
  },
  {
    says: 'the slope of ReduceL2 of zeros is 0',
    op: 'ReduceL2',
    inputs: [[0, 0]],
    gradients: [[0, 0]],
    attributes: reduced,
  },
  {
    says: 'ReduceProd with a zero keeps the slope of the zero',
    op: 'ReduceProd',
    inputs: [[0, 2, 3]],
    gradients: [[6, 0, 0]],
    attributes: reduced,
  },
  {
    says: '0 to a power has finite slopes',
    op: 'Pow',
    inputs: [
      [0, 0, 2],
      [0, 2, 0],
    ],
    gradients: [
      [0, 0, 0],
      [0, 0, Math.LN2],
    ],
  },
  {
    says: 'the first of equal elements takes the cotangent of MaxPool over tiles',
    op: 'MaxPool',
    inputs: [
      [
        [
          [
            [1, 1, 2, 3],
            [1, 1, 3, 3],
          ],
        ],
      ],
    ],
    gradients: [
      [
        [
          [
            [1, 0, 0, 1],
            [0, 0, 0, 0],
          ],
        ],
      ],
    ],
    attributes: tiles,
  },
  {
    says: 'the first of equal elements takes the cotangent of MaxPool with Indices',
    op: 'MaxPool',
    inputs: [
      [
        [
          [
            [1, 1, 2, 3],
            [1, 1, 3, 3],
          ],
        ],
      ],
    ],
    gradients: [
      [
        [
          [
            [1, 0, 0, 1],
            [0, 0, 0, 0],
          ],
        ],
      ],
    ],
    attributes: tiles,
    outputs: 2,
  },
  {
    says: 'the first of equal elements takes the cotangent of overlapping MaxPool',
    op: 'MaxPool',
    inputs: [
      [
        [
          [
            [1, 1, 1],
            [1, 1, 1],
          ],
        ],
      ],
    ],
    gradients: [
      [
        [
          [
            [1, 1, 0],
            [0, 0, 0],
          ],
        ],
      ],
    ],
    attributes: { kernel_shape: ints([2, 2]) },
  },
  {
    says: 'the first of equal elements takes the cotangent of GlobalMaxPool',
    op: 'GlobalMaxPool',
    inputs: [
      [
        [
          [
            [1, 1],
            [1, 1],
          ],
        ],
      ],
    ],
    gradients: [
      [
        [
          [
            [1, 0],
            [0, 0],
          ],
        ],
      ],
    ],
  },
  {
    says: 'GridSample at a pixel centre takes the slope towards the next pixel',
    op: 'GridSample',
    inputs: [
      [
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ],
      [
        [
          [
            [0.5, 0.5],
            [-3, 0],
            [-1.5, 0],
          ],
        ],
      ],
    ],
    gradients: [
      [
        [
          [
            [0, 0],
            [0, 1],
          ],
        ],
      ],
      [
        [
          [
            [-4, -4],
            [0, 0],
            [2, 0],
          ],
        ],
      ],
    ],
  },
  {
    says: 'equal elements and data share the cotangent of ScatterElements with max',
    op: 'ScatterElements',
    inputs: [
      [1, 2, 5],
      [1, 1, 0, 0],
      [2, 2, 1, 7],
    ],
    indices: 1,
    gradients: [[0, 1 / 3, 1], [], [1 / 3, 1 / 3, 0, 1]],
    attributes: { reduction: string('max') },
  },
  {
    says: 'equal elements and data share the cotangent of ScatterND with min',
    op: 'ScatterND',
    inputs: [
      [4, 2, 5],
      [[1], [1], [0]],
      [2, 3, 1],
    ],
    indices: 1,
    gradients: [[0, 0.5, 1], [], [0.5, 0, 1]],
    attributes: { reduction: string('min') },
  },
  {
    says: 'a zero keeps its slope when ScatterElements multiplies',
    op: 'ScatterElements',
    inputs: [
      [0, 2, 5],
      [1, 1, 0, 2],
      [2, 0, 3, 0],
    ],
    indices: 1,
    gradients: [[3, 0, 0], [], [0, 4, 0, 5]],
    attributes: { reduction: string('mul') },
  },
  ...['border', 'reflection'].map((padding): Convention => ({
    says: `GridSample with padding ${padding} has no slope at the border itself`,
    op: 'GridSample',
    inputs: [
      [
        [
          [
            [1, 2],
            [3, 5],
          ],
        ],
      ],
      [
        [
          [
            [-1, 0.5],
            [1, 0.5],
          ],
        ],
      ],
    ],
    gradients: [
      [
        [
          [
            [0.25, 0.25],
            [0.75, 0.75],
          ],
        ],
      ],
      [
        [
          [
            [0, 1],
            [0, 1.5],
          ],
        ],
      ],
    ],
    attributes: { padding_mode: string(padding), align_corners: int(1) },
  })),
];

const shapeOf = (value: Nested): number[] =>
  typeof value === 'number' ? [] : [value.length, ...shapeOf(value[0] ?? 0)];
const flat = (value: Nested): number[] => (typeof value === 'number' ? [value] : value.flatMap(flat));

async function gradientsOf(c: Convention): Promise<number[][]> {
  const g = new GraphBuilder();
  const inputs = c.inputs.map((value, i) =>
    i === c.indices ? g.constant(int64(shapeOf(value), flat(value))) : g.input(`x${i}`, 'float32', shapeOf(value)),
  );
  const [y] = g.op(c.op, inputs, c.attributes ?? {}, { outputs: c.outputs ?? 1 });
  assert.ok(y);
  gradients(g, y, inputs).forEach((value, i) => {
    if (i === c.indices) return;
    assert.ok(value);
    g.output(`d${i}`, value);
  });
  const session = await compile(g.build('convention'), { device: 'cpu', threads: 1 });
  const feeds: Record<string, Tensor> = {};
  c.inputs.forEach((value, i) => {
    if (i === c.indices) return;
    const shape = shapeOf(value);
    feeds[`x${i}`] = tensor(
      'float32',
      shape,
      new Float32Array(sizeOf(shape)).map((_, at) => flat(value)[at] ?? 0),
    );
  });
  const results = await session.run(feeds);
  await session.close();
  return c.inputs.map((_, i) => Array.from(results[`d${i}`]?.data ?? [], Number));
}

describe('gradients at kinks', () => {
  for (const convention of conventions) {
    it(convention.says, async () => {
      const found = await gradientsOf(convention);
      convention.gradients.forEach((expected, i) => {
        flat(expected).forEach((value, at) => {
          const got = found[i]?.[at] ?? Number.NaN;
          assert.ok(Math.abs(got - value) < 1e-6, `input ${i}, element ${at}: expected ${value}, got ${got}`);
        });
      });
    });
  }
});
