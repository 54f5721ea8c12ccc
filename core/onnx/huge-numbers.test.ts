import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { float32, int64, type Tensor } from '../base/tensor.ts';
import { describeClassifier } from './classifier.ts';
import { findTemplates } from './classifier/templates.ts';
import type { Attribute, Graph } from './graph.ts';
import { readModel } from './read.ts';
import { houseModel, writeModel } from './write.ts';

interface Trap {
  readonly op: string;
  readonly opset?: number;
  readonly shape?: readonly number[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Initialisers w0, w1, … that follow the image as inputs. */
  readonly weights?: readonly Tensor[];
  readonly onlyWeights?: boolean;
}

const int = (value: number): Attribute => ({ type: 'int', value });
const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
const counting = (length: number) =>
  int64(
    [length],
    BigInt64Array.from({ length }, (_, i) => BigInt(i)),
  );
const nothing = int64([2 ** 40, 0], []);
const ones = (length: number) => int64([length], new BigInt64Array(length).fill(1n));

/** Small files with a number or a list so large that whoever makes room for it, or goes through it, is lost. */
const traps: Readonly<Record<string, Trap>> = {
  'an axis beyond the image': { op: 'CenterCropPad', attributes: { axes: ints(2, 2 ** 31) }, weights: [ones(2)] },
  'an axis far before the image': {
    op: 'CenterCropPad',
    attributes: { axes: ints(2, -(2 ** 40)) },
    weights: [ones(2)],
  },
  'billions of parts': { op: 'Split', attributes: { num_outputs: int(2 ** 31) } },
  'more parts than an array holds': { op: 'Split', attributes: { num_outputs: int(2 ** 40) } },
  'billions of axes to normalise': {
    op: 'RMSNormalization',
    attributes: { axis: int(-(2 ** 31)) },
    weights: [float32([1], [1])],
    opset: 23,
  },
  'billions of heads': {
    op: 'Attention',
    attributes: { q_num_heads: int(2 ** 31), kv_num_heads: int(1) },
    shape: [2, 4, 6],
    opset: 23,
  },
  'groups of no channels': {
    op: 'GroupNormalization',
    attributes: { num_groups: int(0) },
    weights: [float32([1], [1]), float32([1], [0])],
    opset: 18,
  },
  'groups of billions of channels': {
    op: 'GroupNormalization',
    attributes: { num_groups: int(1) },
    shape: [1, 2 ** 33, 1, 1],
    weights: [float32([1], [1]), float32([1], [0])],
    opset: 18,
  },
  'a hundred thousand new axes': { op: 'Unsqueeze', weights: [counting(100_000)] },
  'a hundred thousand dimensions': { op: 'Reshape', weights: [ones(100_000)] },
  'as many to spread over': { op: 'Expand', weights: [ones(100_000)] },
  'rows without number and without elements, to join': {
    op: 'Concat',
    attributes: { axis: int(1) },
    onlyWeights: true,
    weights: [nothing, nothing],
  },
  'rows without number and without elements, to choose from': {
    op: 'Gather',
    attributes: { axis: int(1) },
    onlyWeights: true,
    weights: [nothing, int64([0], [])],
  },
  'as many to reduce': { op: 'ReduceSum', weights: [counting(100_000)] },
};

function modelOf({
  op,
  opset,
  shape = [1, 3, 8, 8],
  attributes = {},
  weights = [],
  onlyWeights = false,
}: Trap): Uint8Array {
  const names = weights.map((_, i) => `w${i}`);
  const inputs = op === 'Attention' ? ['x', 'x', 'x'] : onlyWeights ? names : ['x', ...names];
  const graph: Graph = {
    name: 'trap',
    inputs: [{ name: 'x', dtype: 'float32', shape }],
    outputs: [{ name: 'y', dtype: 'float32', shape: undefined }],
    initializers: new Map(weights.map((weight, i) => [`w${i}`, weight])),
    nodes: [{ name: 'trapped', domain: '', op, inputs, outputs: ['y'], attributes }],
    valueInfo: new Map(),
  };
  const model = houseModel(graph);
  return writeModel(opset === undefined ? model : { ...model, opset });
}

describe('a small file with a huge number', () => {
  for (const [name, trap] of Object.entries(traps)) {
    it(`is refused at once: ${name}`, () => {
      const bytes = modelOf(trap);
      assert.throws(
        () => describeClassifier(readModel(bytes)),
        (error) => {
          assert.ok(error instanceof WorkbenchError, String(error));
          assert.notEqual(error.code, 'INTERNAL');
          assert.ok(error.message.length < 2000, `a message of ${error.message.length} characters`);
          return true;
        },
      );
    });
  }

  it('takes no room for classes that nothing but a shape speaks of', () => {
    const { graph } = readModel(modelOf({ op: 'Flatten' }));
    assert.equal(findTemplates(graph, 'y', 2 ** 40), undefined);
  });
});
