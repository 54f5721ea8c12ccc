import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, int64, type Tensor, tensor } from '../base/tensor.ts';
import { normalise } from './normalise.ts';
import { readModel } from './read.ts';
import { type OneNode, oneNodeModel, runModel, wave } from './testing/one-node.ts';
import { writeModel } from './write.ts';

const image = wave([2, 4, 6, 6]);
const ints = (...values: number[]): Tensor => int64([values.length], values);
const channel = wave([4]);
const variance = float32([4], [0.5, 1, 1.5, 2]);

const [queries, keys] = [wave([2, 4, 5, 6]), wave([2, 4, 3, 6], 1)];
const angles = [wave([2, 4, 3], 1), wave([2, 4, 3], 2)];
const allowed = tensor(
  'bool',
  [5, 3],
  Uint8Array.from({ length: 15 }, (_, i) => Number(i % 3 === 0 || i % 2 === 0)),
);

/** The second query may look at nothing. */
const closed = tensor(
  'bool',
  [5, 3],
  Uint8Array.from({ length: 15 }, (_, i) => Number(Math.floor(i / 3) !== 1)),
);

/** What operator set 23 brought in for networks of attention. */
const attentions: readonly (readonly [opset: number, node: OneNode])[] = [
  [23, { op: 'Attention', inputs: [queries, keys, wave([2, 4, 3, 2], 2)] }],
  [24, { op: 'Attention', inputs: [queries, keys, keys, allowed], attributes: { scale: { float: 0.3 } } }],
  [23, { op: 'Attention', inputs: [queries, keys, keys, wave([2, 1, 5, 3], 3)], attributes: { is_causal: 1 } }],
  [23, { op: 'Attention', inputs: [queries, keys, keys, closed] }],
  [23, { op: 'Attention', inputs: [queries, keys, keys], attributes: { softcap: { float: 0.5 } } }],
  [
    23,
    {
      op: 'Attention',
      inputs: [wave([2, 5, 24]), wave([2, 3, 12], 1), wave([2, 3, 8], 2)],
      attributes: { q_num_heads: 4, kv_num_heads: 2 },
    },
  ],
  [23, { op: 'RMSNormalization', inputs: [image, wave([6], 1)], attributes: { epsilon: { float: 0.01 } } }],
  [23, { op: 'RMSNormalization', inputs: [image, wave([6, 6], 1)], attributes: { axis: -2 } }],
  [23, { op: 'RotaryEmbedding', inputs: [wave([2, 3, 4, 6]), ...angles] }],
  [23, { op: 'RotaryEmbedding', inputs: [wave([2, 3, 4, 6]), ...angles], attributes: { interleaved: 1 } }],
  [
    23,
    {
      op: 'RotaryEmbedding',
      inputs: [wave([2, 4, 24]), ...angles],
      attributes: { num_heads: 3, rotary_embedding_dim: 6 },
    },
  ],
  [
    23,
    {
      op: 'RotaryEmbedding',
      inputs: [wave([2, 3, 4, 6]), wave([7, 3], 1), wave([7, 3], 2), int64([2, 4], [0, 1, 2, 3, 6, 5, 4, 3])],
    },
  ],
];

/** What only operator set 28 allows, which onnxruntime does not know yet. */
const newest: readonly (readonly [node: OneNode, expected: readonly number[]])[] = [
  [{ op: 'Mod', inputs: [float32([4], [5.5, -5.5, 5.5, -5.5]), float32([4], [2, 2, -2, -2])] }, [1.5, 0.5, -0.5, -1.5]],
  [
    {
      op: 'SpaceToDepth',
      inputs: [float32([1, 2, 2, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])],
      attributes: { blocksize: 2, mode: 'CRD' },
    },
    [0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15],
  ],
  [
    {
      op: 'SpaceToDepth',
      inputs: [float32([1, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7])],
      attributes: { blocksize: 2, mode: 'DCR' },
    },
    [0, 4, 1, 5, 2, 6, 3, 7],
  ],
];

const bytes = (dims: readonly number[]): Tensor =>
  tensor(
    'uint8',
    dims,
    Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => (i * 37) % 256),
  );
const [third, zero] = [float32([], [1 / 3]), tensor('uint8', [], Uint8Array.of(120))];
const weights = tensor('int8', [2, 3, 1, 1], Int8Array.of(3, -7, 11, 100, -30, 5));
const weightSettings = [float32([2], [0.5, 0.25]), tensor('int8', [2], Int8Array.of(0, 0))];

/** Integer arithmetic, written out with real numbers. */
const integers: readonly (readonly [opset: number, node: OneNode])[] = [
  [
    13,
    {
      op: 'QLinearConv',
      inputs: [
        bytes([1, 3, 2, 2]),
        third,
        zero,
        weights,
        ...weightSettings,
        // No multiple of the other scales: nothing falls on a tie, which integers and real numbers round otherwise.
        float32([], [9.7]),
        zero,
        tensor('int32', [2], Int32Array.of(50, -700)),
      ],
    },
  ],
  [
    13,
    { op: 'QLinearMatMul', inputs: [bytes([2, 3]), third, zero, bytes([3, 2]), third, zero, float32([], [20]), zero] },
  ],
];

/** Nodes as they were written for an older (or newer) operator set; inputs after the first are initialisers. */
const cases: readonly (readonly [opset: number, node: OneNode])[] = [
  [11, { op: 'ReduceMean', inputs: [image], attributes: { axes: [2, -1], keepdims: 0 } }],
  [17, { op: 'ReduceMax', inputs: [image] }],
  [12, { op: 'ReduceSum', inputs: [image], attributes: { axes: [1] } }],
  [13, { op: 'ReduceSum', inputs: [image, ints(1)] }],
  [11, { op: 'Squeeze', inputs: [wave([2, 1, 3, 1])], attributes: { axes: [1] } }],
  [7, { op: 'Squeeze', inputs: [wave([2, 1, 3, 1])] }],
  [11, { op: 'Unsqueeze', inputs: [wave([2, 3])], attributes: { axes: [0, 3] } }],
  [9, { op: 'Slice', inputs: [image], attributes: { starts: [1, -3], ends: [3, 2 ** 63], axes: [1, 3] } }],
  [7, { op: 'Slice', inputs: [image], attributes: { starts: [0, 1], ends: [1, -1] } }],
  [10, { op: 'Slice', inputs: [image, ints(4), ints(0), ints(2), ints(-2)] }],
  [11, { op: 'Split', inputs: [image], attributes: { axis: 1, split: [1, 3] }, outputCount: 2 }],
  [11, { op: 'Split', inputs: [image], attributes: { axis: 3 }, outputCount: 3 }],
  [13, { op: 'Split', inputs: [image], attributes: { axis: 1 }, outputCount: 2 }],
  [7, { op: 'Clip', inputs: [image], attributes: { min: { float: -0.25 }, max: { float: 0.5 } } }],
  [10, { op: 'Clip', inputs: [image], attributes: { max: { float: 0.5 } } }],
  [10, { op: 'Clip', inputs: [image] }],
  [10, { op: 'Pad', inputs: [image], attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 1], value: { float: 0.5 } } }],
  [7, { op: 'Pad', inputs: [image], attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 1], mode: 'reflect' } }],
  [9, { op: 'TopK', inputs: [image], attributes: { k: 2, axis: 1 }, outputCount: 2 }],
  [11, { op: 'Softmax', inputs: [image] }],
  [12, { op: 'LogSoftmax', inputs: [image], attributes: { axis: 2 } }],
  [7, { op: 'Hardmax', inputs: [image], attributes: { axis: 3 } }],
  [11, { op: 'Softmax', inputs: [wave([3, 5])] }],
  [11, { op: 'Softmax', inputs: [image], attributes: { axis: -2 } }],
  [7, { op: 'Dropout', inputs: [image], attributes: { ratio: { float: 0.3 } } }],
  [12, { op: 'Dropout', inputs: [image, float32([], [0.3]), tensor('bool', [], Uint8Array.of(0))] }],
  [12, { op: 'Dropout', inputs: [image], outputCount: 2 }],
  [13, { op: 'Dropout', inputs: [image, float32([], [0.3])], outputCount: 2 }],
  [7, { op: 'BatchNormalization', inputs: [image, channel, channel, channel, variance], attributes: { spatial: 1 } }],
  [
    8,
    {
      op: 'BatchNormalization',
      inputs: [wave([3, 2, 2]), ...[1, 2, 3].map((phase) => wave([2, 2], phase)), float32([2, 2], [0.5, 1, 1.5, 2])],
      attributes: { spatial: 0, epsilon: { float: 0.1 } },
    },
  ],
  [9, { op: 'BatchNormalization', inputs: [image, channel, channel, channel, variance] }],
  [12, { op: 'BatchNormalization', inputs: [image, channel, channel, channel, variance], outputCount: 5 }],
  [7, { op: 'Upsample', inputs: [image], attributes: { scales: { floats: [1, 1, 2, 3] } } }],
  [9, { op: 'Upsample', inputs: [image, float32([4], [1, 1, 2, 1.5])], attributes: { mode: 'linear' } }],
  [10, { op: 'Resize', inputs: [image, float32([4], [1, 1, 2, 1.7])] }],
  [10, { op: 'Resize', inputs: [image, float32([4], [1, 1, 0.5, 0.7])] }],
  [10, { op: 'Resize', inputs: [image, float32([4], [1, 1, 0.5, 2])], attributes: { mode: 'linear' } }],
  [10, { op: 'Resize', inputs: [image, float32([4], [1, 1, 0.4, 1.7])] }],
  [
    11,
    {
      op: 'Resize',
      inputs: [image, float32([0], []), float32([4], [1, 1, 1.7, 0.6])],
      attributes: { coordinate_transformation_mode: 'tf_half_pixel_for_nn', nearest_mode: 'floor' },
    },
  ],
  [9, { op: 'Scatter', inputs: [wave([3, 3]), int64([1, 3], [2, 1, 0]), wave([1, 3], 1)] }],
  [16, { op: 'GridSample', inputs: [image, wave([2, 3, 3, 2])], attributes: { mode: 'bilinear' } }],
  [16, { op: 'GridSample', inputs: [image, wave([2, 3, 3, 2])], attributes: { mode: 'bicubic' } }],
  [
    10,
    {
      op: 'RoiAlign',
      inputs: [image, float32([1, 4], [0, 1, 4, 5]), ints(1)],
      attributes: { output_height: 2, output_width: 2 },
    },
  ],
  [18, { op: 'GroupNormalization', inputs: [image, wave([2]), wave([2], 1)], attributes: { num_groups: 2 } }],
  [24, { op: 'Swish', inputs: [image], attributes: { alpha: { float: 0.5 } } }],
  [24, { op: 'Swish', inputs: [image] }],
  ...attentions,
  ...integers,
  [23, { op: 'Cast', inputs: [image], attributes: { to: 1 } }],
];

/** Element types of second outputs that are not real numbers. */
const seconds: Readonly<Record<string, 'int64' | 'bool'>> = { TopK: 'int64', Dropout: 'bool' };

describe('a node lifted to the house operator set', () => {
  for (const [opset, node] of cases) {
    it(`computes what opset ${opset} means: ${node.op} ${JSON.stringify(node.attributes ?? {})}`, async () => {
      const outputs = Array.from({ length: node.outputCount ?? 1 }, (_, i) => {
        const second = i === 1 ? seconds[node.op] : undefined;
        return { dtype: node.op.startsWith('QLinear') ? 'uint8' : (second ?? 'float32'), shape: [] } as const;
      });
      const constants = node.inputs.map((_, i) => i).slice(1);
      const whole = oneNodeModel({ ...node, constants }, outputs);
      // Old batch normalisation has one output or five; the saved ones have no successor and must not be used.
      const wanted = whole.graph.outputs.slice(0, node.op === 'BatchNormalization' ? 3 : undefined);
      const old = { ...whole, opset, graph: { ...whole.graph, outputs: wanted } };
      const lifted = normalise(readModel(writeModel(old)));
      assert.equal(lifted.opset, 21);
      const [before, after] = [
        await runModel(old, { x0: node.inputs[0] ?? image }),
        await runModel(lifted, { x0: node.inputs[0] ?? image }),
      ];
      for (const [name, expected] of Object.entries(before)) {
        const found = after[name];
        assert.ok(found);
        assert.deepEqual(found.dims, expected.dims);
        const [values, reference] = [found, expected].map(({ data }) =>
          Array.from<number | bigint, number>(data, Number),
        );
        const error = Math.max(...(reference ?? []).map((value, i) => Math.abs(value - (values?.[i] ?? Number.NaN))));
        assert.ok(error <= 1e-6, `differs by ${error}`);
      }
    });
  }

  for (const [node, expected] of newest) {
    it(`computes what opset 28 means: ${node.op} ${JSON.stringify(node.attributes ?? {})}`, async () => {
      const whole = oneNodeModel({ ...node, constants: [1] }, [{ dtype: 'float32', shape: [] }]);
      const lifted = normalise({ ...whole, opset: 28 });
      const { y0 } = await runModel(lifted, { x0: node.inputs[0] ?? image });
      assert.deepEqual(Array.from(y0?.data ?? [], Number), expected);
    });
  }
});
