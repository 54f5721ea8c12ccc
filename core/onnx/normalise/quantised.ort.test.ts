import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, tensor, type Tensor } from '../../base/tensor.ts';
import { describeClassifier } from '../classifier.ts';
import type { Graph, GraphNode, OnnxModel } from '../graph.ts';
import { normalise } from '../normalise.ts';
import { attributesOf, type PlainAttributes, runModel, wave } from '../testing/one-node.ts';
import { houseModel } from '../write.ts';

const number = (value: number): Tensor => float32([], [value]);
const byte = (value: number): Tensor => tensor('uint8', [], Uint8Array.of(value));
const bytes = (...dims: number[]): Tensor =>
  tensor(
    'uint8',
    dims,
    Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => (i * 37) % 256),
  );
const signed = (...dims: number[]): Tensor =>
  tensor(
    'int8',
    dims,
    Int8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 53) % 256) - 128),
  );
const pad = tensor('int8', [2], Int8Array.of(3, -4));
/** scale and zero point */
const setting = (scale: number, zero: number): readonly Tensor[] => [number(scale), byte(zero)];

interface Step {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly (string | Tensor)[];
  readonly outputs?: readonly string[];
  readonly attributes?: PlainAttributes;
}

/** Nodes in a row: tensors become initialisers, `x` is the input, the last output that of the model. */
function modelOf(steps: readonly Step[], x: Tensor, dtype: Tensor['dtype']): OnnxModel {
  const initializers = new Map<string, Tensor>();
  const nodes = steps.map(({ op, domain = '', inputs, outputs, attributes = {} }, i): GraphNode => {
    const names = inputs.map((input, j) => {
      if (typeof input === 'string') return input;
      initializers.set(`c${i}_${j}`, input);
      return `c${i}_${j}`;
    });
    return {
      name: `n${i}`,
      domain,
      op,
      inputs: names,
      outputs: outputs ?? [`v${i}`],
      attributes: attributesOf(attributes),
    };
  });
  const last = nodes.at(-1)?.outputs[0] ?? '';
  const graph: Graph = {
    name: 'quantised',
    inputs: [{ name: 'x', dtype: x.dtype, shape: x.dims }],
    outputs: [{ name: last, dtype, shape: undefined }],
    initializers,
    nodes,
    valueInfo: new Map(),
  };
  return { ...houseModel(graph), otherOpsets: { 'com.microsoft': 1 } };
}

const ms = 'com.microsoft';
const [a, b, y] = [setting(0.05, 120), setting(0.02, 7), setting(0.4, 90)];
const image = bytes(1, 2, 4, 4);
const realImage = float32([1, 2, 4, 4], Array.from<number | bigint, number>(image.data, Number));
const cases: readonly (readonly [name: string, x: Tensor, steps: readonly Step[], dtype?: Tensor['dtype']])[] = [
  ['QLinearAdd', bytes(2, 6), [{ op: 'QLinearAdd', domain: ms, inputs: ['x', ...a, bytes(6), ...b, ...y] }]],
  ['QLinearMul', bytes(2, 6), [{ op: 'QLinearMul', domain: ms, inputs: ['x', ...a, bytes(6), ...b, ...y] }]],
  [
    'QLinearConcat',
    bytes(2, 6),
    [
      {
        op: 'QLinearConcat',
        domain: ms,
        inputs: [...y, 'x', ...a, bytes(2, 3), ...b],
        attributes: { axis: 1 },
      },
    ],
  ],
  ['QLinearGlobalAveragePool', image, [{ op: 'QLinearGlobalAveragePool', domain: ms, inputs: ['x', ...a, ...b] }]],
  [
    'QLinearAveragePool',
    image,
    [
      {
        op: 'QLinearAveragePool',
        domain: ms,
        inputs: ['x', ...a, ...b],
        attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      },
    ],
  ],
  ['QLinearLeakyRelu', image, [{ op: 'QLinearLeakyRelu', domain: ms, inputs: ['x', ...a, ...b] }]],
  ['QLinearSigmoid', image, [{ op: 'QLinearSigmoid', domain: ms, inputs: ['x', ...a, number(1 / 256), byte(0)] }]],
  [
    'QGemm, quantised again',
    bytes(3, 6),
    [
      {
        op: 'QGemm',
        domain: ms,
        inputs: [
          'x',
          ...a,
          signed(2, 6),
          float32([2], [0.02, 0.01]),
          tensor('int8', [2], new Int8Array(2)),
          tensor('int32', [2], Int32Array.of(900, -800)),
          ...y,
        ],
        attributes: { transB: 1, alpha: { float: 0.5 } },
      },
    ],
  ],
  [
    'QGemm to real numbers',
    bytes(3, 6),
    [{ op: 'QGemm', domain: ms, inputs: ['x', ...a, bytes(6, 2), ...b] }],
    'float32',
  ],
  [
    'ConvInteger with a zero point for all weights',
    bytes(1, 2, 5, 5),
    [
      { op: 'ConvInteger', inputs: ['x', bytes(2, 2, 3, 3), byte(9), byte(100)], attributes: { pads: [1, 0, 1, 0] } },
      { op: 'Cast', inputs: ['v0'], attributes: { to: 1 } },
    ],
    'float32',
  ],
  [
    'MatMulInteger with a zero point for each column',
    bytes(3, 6),
    [
      { op: 'MatMulInteger', inputs: ['x', signed(6, 2), byte(9), pad] },
      { op: 'Cast', inputs: ['v0'], attributes: { to: 1 } },
    ],
    'float32',
  ],
  ['MaxPool of integers', realImage, [...moved({ op: 'MaxPool', attributes: { kernel_shape: [2, 2] } })], 'float32'],
  ['Transpose of integers', realImage, [...moved({ op: 'Transpose' })], 'float32'],
];

/** Quantised, moved, and made real. */
function moved(step: Omit<Step, 'inputs'>): readonly Step[] {
  return [
    { op: 'QuantizeLinear', inputs: ['x', number(3), byte(5)] },
    { ...step, inputs: ['v0'] },
    { op: 'DequantizeLinear', inputs: ['v1', number(3), byte(5)] },
  ];
}

const dynamic = (x: Tensor): OnnxModel =>
  modelOf(
    [
      { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 'scale', 'zero'] },
      { op: 'MatMulInteger', inputs: ['q', signed(6, 3), 'zero'] },
      { op: 'Cast', inputs: ['v1'], attributes: { to: 1 } },
      { op: 'Mul', inputs: ['scale', number(0.01)] },
      { op: 'Mul', inputs: ['v2', 'v3'] },
    ],
    x,
    'float32',
  );

async function sameAsBefore(model: OnnxModel, x: Tensor): Promise<void> {
  const [before, after] = [await runModel(model, { x }), await runModel(normalise(model), { x })];
  for (const [name, expected] of Object.entries(before)) {
    const found = after[name];
    assert.ok(found);
    assert.deepEqual(found.dims, expected.dims);
    const [values, reference] = [found, expected].map((part) => Array.from<number | bigint, number>(part.data, Number));
    const errors = (reference ?? []).map(
      (value, i) => Math.abs(value - (values?.[i] ?? Number.NaN)) / Math.max(1, Math.abs(value)),
    );
    assert.ok(Math.max(...errors) <= 1e-6, `differs by ${Math.max(...errors)}`);
  }
}

describe('quantised arithmetic written with real numbers', () => {
  for (const [name, x, steps, dtype = 'uint8'] of cases) {
    it(`gives what the integers give: ${name}`, () => sameAsBefore(modelOf(steps, x, dtype), x));
  }

  it('gives what the integers give when the scale is found while running, also for zeros alone', async () => {
    await sameAsBefore(dynamic(wave([2, 6])), wave([2, 6]));
    await sameAsBefore(dynamic(wave([2, 6])), float32([2, 6], new Float32Array(12)));
  });

  it('refuses channels last, naming the node', () => {
    const steps = [
      { op: 'QLinearGlobalAveragePool', domain: ms, inputs: ['x', ...a, ...b], attributes: { channels_last: 1 } },
    ];
    assert.throws(() => normalise(modelOf(steps, image, 'uint8')), /QLinearGlobalAveragePool with channels last at n0/);
  });
});

describe('weights that are stored as integers', () => {
  const weight = signed(3, 32);
  const scales = float32([3], [0.1, 0.2, 0.3]);
  const zeros = tensor('int8', [3], Int8Array.of(1, 0, -2));
  const model = modelOf(
    [
      { op: 'Flatten', inputs: ['x'] },
      { op: 'DequantizeLinear', inputs: [weight, scales, zeros], attributes: { axis: 0 }, outputs: ['w'] },
      { op: 'Gemm', inputs: ['v0', 'w', float32([3], [1, 2, 3])], attributes: { transB: 1 } },
    ],
    wave([1, 2, 4, 4]),
    'float32',
  );

  it('become parameters, and the last linear layer is found', () => {
    const { parameters, templates } = describeClassifier(model);
    assert.deepEqual(parameters.map(({ name }) => name).toSorted(), ['c2_2', 'w']);
    assert.equal(templates?.valueName, 'w');
    assert.ok(Math.abs((templates.weight[33] ?? 0) - 0.2 * Number(weight.data[33])) < 1e-5);
  });

  it('have the values that onnxruntime gives them', () => sameAsBefore(model, wave([1, 2, 4, 4])));
});
