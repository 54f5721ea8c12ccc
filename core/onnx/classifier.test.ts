import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { float32, int64, type Tensor } from '../base/tensor.ts';
import { cutAtLogits, describeClassifier, openClassifier } from './classifier.ts';
import { wave } from './testing/one-node.ts';
import { float, modelOf, type Plan, type Step } from './testing/plan.ts';
import { writeModel } from './write.ts';

const flat: Step = ['Flatten', ['x'], 'f'];
const weight = wave([6, 2]);
/** Rows of a matrix that is stored the other way. */
const turned = (tensor: Tensor): readonly number[] => {
  const [rows = 0, columns = 0] = tensor.dims;
  return Array.from({ length: rows * columns }, (_, i) =>
    Number(tensor.data[(i % rows) * columns + Math.floor(i / rows)]),
  );
};

describe('describing a classifier', () => {
  it('tells what a teacher takes and gives', async () => {
    const { description } = await openClassifier(join(import.meta.dirname, 'testdata/lenet5-half-mnist.onnx'));
    assert.deepEqual(description.input, {
      name: 'input',
      layout: 'nchw',
      channels: 1,
      height: 28,
      width: 28,
      fixedBatch: undefined,
    });
    assert.deepEqual([description.logits, description.classCount, description.softmaxRemoved], ['logits', 10, false]);
    assert.deepEqual([description.parameterCount, description.parameters.length], [15_738, 10]);
    const { templates } = description;
    assert.deepEqual(
      [templates?.op, templates?.valueName, templates?.featureCount, templates?.bias?.length],
      ['Gemm', 'fc3.weight', 42, 10],
    );
  });

  it('names all reasons against a file at once', () => {
    const vectors = modelOf({ inputs: [float('x', ['N', 6]), float('t', [1])], steps: [['ReduceSum', ['x'], 'y']] });
    assert.throws(() => describeClassifier({ ...vectors, graph: { ...vectors.graph, outputs: [float('y', [1])] } }), {
      code: 'MODEL_UNSUITABLE',
      message: /float32 of 4 dimensions, got x float32 \[N, 6\]; t float32 \[1\]; expected logits/,
    });
    const sized = modelOf({ inputs: [float('x', ['N', 3, 'h', 'w']), float('t', [1])], steps: [['Relu', ['x'], 'y']] });
    assert.throws(() => describeClassifier(sized), {
      code: 'MODEL_UNSUITABLE',
      message: /expected one input, got 2.*fixed channels, height and width/,
    });
  });

  it('refuses a file without logits', () => {
    assert.throws(() => describeClassifier(modelOf({ steps: [['Relu', ['x'], 'y']] })), {
      code: 'MODEL_UNSUITABLE',
      message: /shape \[N, classes\], got y float32 \[3, 1, 2, 3\] for 3 images/,
    });
    const argMax = modelOf({
      steps: [flat, ['Gemm', ['f', 'w'], 's'], ['ArgMax', ['s'], 'y', { axis: 1 }]],
      weights: { w: weight },
    });
    assert.throws(() => describeClassifier(argMax), { code: 'MODEL_UNSUITABLE', message: /got y int64/ });
  });

  it('says of a file with one score for each image how to export two', () => {
    const one = modelOf({
      steps: [flat, ['Gemm', ['f', 'w'], 's'], ['Sigmoid', ['s'], 'y']],
      weights: { w: wave([6, 1]) },
    });
    assert.throws(() => describeClassifier(one), {
      code: 'MODEL_UNSUITABLE',
      message: /got y float32 \[3, 1\] for 3 images/,
      hint: /two classes.*torch\.cat/,
    });
  });

  it('names all operators that are not covered', () => {
    const steps: Step[] = [
      ['Det', ['x'], 'a'],
      ['Unique', ['a'], 'y'],
    ];
    assert.throws(() => describeClassifier(modelOf({ steps })), {
      code: 'OP_UNSUPPORTED',
      message: /2 operators .*Det \(Det_a\), Unique \(Unique_y\)/,
    });
  });

  it('refuses weights that are not finite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-classifier-'));
    const path = join(folder, 'bad.onnx');
    const bad = float32(
      [6, 2],
      Array.from({ length: 12 }, (_, i) => (i === 5 ? Number.NaN : 1)),
    );
    writeFileSync(path, writeModel(modelOf({ steps: [flat, ['Gemm', ['f', 'w'], 'y']], weights: { w: bad } })));
    await assert.rejects(openClassifier(path), { code: 'MODEL_NOT_FINITE', message: /in w$/ });
    rmSync(folder, { recursive: true });
  });

  it('sees the logits before a softmax at the end', () => {
    for (const op of ['Softmax', 'LogSoftmax']) {
      const model = modelOf({
        steps: [flat, ['Gemm', ['f', 'w'], 'scores'], [op, ['scores'], 'p']],
        weights: { w: weight },
      });
      const { logits, softmaxRemoved, classCount } = describeClassifier(model);
      assert.deepEqual([logits, softmaxRemoved, classCount], ['scores', true, 2]);
      assert.deepEqual(
        cutAtLogits(model).nodes.map((node) => node.op),
        ['Flatten', 'Gemm'],
      );
    }
  });

  it('sees them also before a softmax of an old operator set over [N, K, 1, 1]', () => {
    const steps: Step[] = [
      ['Conv', ['x', 'w'], 'c'],
      ['GlobalAveragePool', ['c'], 'g'],
      ['Softmax', ['g'], 'p', { axis: 1 }],
    ];
    const model = { ...modelOf({ steps, weights: { w: wave([4, 1, 1, 1]) } }), opset: 11 };
    const { softmaxRemoved, classCount, templates } = describeClassifier(model);
    assert.deepEqual([softmaxRemoved, classCount, templates?.op], [true, 4, 'Conv']);
    const graph = cutAtLogits(model);
    assert.deepEqual(graph.outputs[0]?.shape, ['batch', 4]);
  });

  it('does not take a softmax inside the network for the end', () => {
    const steps: Step[] = [flat, ['Softmax', ['f'], 's'], ['Gemm', ['s', 'w'], 'y']];
    assert.equal(describeClassifier(modelOf({ steps, weights: { w: weight } })).softmaxRemoved, false);
  });

  it('takes away what is not pixels and weights from the parameters', () => {
    const steps: Step[] = [
      ['Sub', ['x', 'mean'], 'a'],
      ['Div', ['a', 'deviation'], 'b'],
      ['Expand', ['fill', 'filters'], 'zeros'],
      ['Conv', ['b', 'k', 'zeros'], 'c'],
      ['BatchNormalization', ['c', 'scale', 'shift', 'm', 'v'], 'n'],
      ['Dropout', ['n', 'ratio'], 'd'],
      ['Flatten', ['d'], 'f'],
      ['Gemm', ['f', 'w', 'bias'], 'h'],
      ['Sqrt', ['area'], 'side'],
      ['Cast', ['side'], 'columns', { to: 7 }],
      ['Concat', ['rows', 'columns'], 'size', { axis: 0 }],
      ['Reshape', ['h', 'size'], 'r'],
      ['Mul', ['r', 'half'], 'y'],
    ];
    const two = wave([2]);
    const weights = {
      mean: wave([1, 1, 1, 1]),
      deviation: wave([1, 1, 2, 3]),
      k: wave([2, 1, 1, 1]),
      scale: two,
      shift: two,
      m: two,
      v: float32([2], [1, 2]),
      ratio: float32([], [0.5]),
      w: wave([12, 2]),
      bias: two,
      half: float32([], [0.5]),
      area: float32([1], [4]),
      rows: int64([1], [-1]),
      fill: float32([], [0.25]),
      filters: int64([1], [2]),
    };
    const { parameters, batchNorms, dropoutCount } = describeClassifier(modelOf({ steps, weights }));
    assert.deepEqual(parameters.map(({ name }) => name).sort(), ['bias', 'k', 'scale', 'shift', 'w']);
    assert.equal(dropoutCount, 1);
    assert.deepEqual(
      batchNorms.map(({ inputName, variance, meanName }) => [inputName, [...variance], meanName]),
      [['c', [1, 2], 'm']],
    );
  });
});

describe('a classifier that was exported in training mode', () => {
  it('is told by its batch normalisation', () => {
    const weights = { p: wave([1]), v: float32([1], [1]), w: weight };
    const steps = (training_mode: number): Step[] => [
      ['BatchNormalization', ['x', 'p', 'p', 'p', 'v'], 'n', { training_mode }],
      ['Flatten', ['n'], 'f'],
      ['Gemm', ['f', 'w'], 'y'],
    ];
    const told = [0, 1].map((mode) => describeClassifier(modelOf({ steps: steps(mode), weights })));
    assert.deepEqual(
      told.map(({ usesBatchStatistics, batchNorms }) => [usesBatchStatistics, batchNorms.length]),
      [
        [false, 1],
        [true, 0],
      ],
    );
  });
});

describe('the class templates of a classifier', () => {
  const templatesOf = (plan: Plan) => describeClassifier(modelOf(plan)).templates;

  it('are the columns of a Gemm without transB, with alpha and beta in them', () => {
    const steps: Step[] = [flat, ['Gemm', ['f', 'w', 'b'], 'y', { alpha: { float: 2 }, beta: { float: 0.5 } }]];
    const templates = templatesOf({ steps, weights: { w: weight, b: float32([2], [1, -4]) } });
    assert.deepEqual(
      [...(templates?.weight ?? [])],
      turned(weight).map((value) => 2 * value),
    );
    assert.deepEqual(
      [templates?.bias, templates?.featureName, templates?.featureCount],
      [Float32Array.of(0.5, -2), 'f', 6],
    );
  });

  it('are found behind MatMul, Transpose and Add, and scaled with the logits', () => {
    const steps: Step[] = [
      flat,
      ['Transpose', ['w'], 't'],
      ['MatMul', ['f', 't'], 'h'],
      ['Add', ['b', 'h'], 'i'],
      ['Div', ['i', 's'], 'y'],
    ];
    const stored = wave([2, 6]);
    const templates = templatesOf({ steps, weights: { w: stored, b: float32([2], [1, 2]), s: float32([1], [4]) } });
    assert.deepEqual(
      [...(templates?.weight ?? [])],
      Array.from<number | bigint, number>(stored.data, (value) => Number(value) / 4),
    );
    assert.deepEqual(
      [templates?.bias, templates?.valueName, templates?.op],
      [Float32Array.of(0.25, 0.5), 'w', 'MatMul'],
    );
  });

  it('are the kernels of a 1×1 convolution that is averaged over the image', () => {
    const steps: Step[] = [
      ['Conv', ['x', 'k', 'b'], 'c'],
      ['GlobalAveragePool', ['c'], 'g'],
      ['Flatten', ['g'], 'y'],
    ];
    const templates = templatesOf({ input: ['N', 3, 4, 4], steps, weights: { k: wave([5, 3, 1, 1]), b: wave([5]) } });
    assert.deepEqual(
      [templates?.op, templates?.featureCount, templates?.weight.length, templates?.bias?.length],
      ['Conv', 3, 15, 5],
    );
  });

  it('are not there when the end is not linear', () => {
    const steps: Step[] = [flat, ['Gemm', ['f', 'w'], 'h'], ['Tanh', ['h'], 'y']];
    assert.equal(templatesOf({ steps, weights: { w: weight } }), undefined);
    assert.equal(templatesOf({ steps: [flat] }), undefined);
  });
});

describe('a classifier cut at its logits', () => {
  it('has no more than the way from image to logits', () => {
    const steps: Step[] = [flat, ['Exp', ['f'], 'unused'], ['Gemm', ['f', 'w'], 'y']];
    const graph = cutAtLogits(modelOf({ steps, weights: { w: weight, spare: wave([3]) } }));
    assert.deepEqual(
      graph.nodes.map(({ op }) => op),
      ['Flatten', 'Gemm'],
    );
    assert.deepEqual([...graph.initializers.keys()], ['w']);
    assert.deepEqual([graph.inputs, graph.outputs], [[float('x', ['batch', 1, 2, 3])], [float('y', ['batch', 2])]]);
  });

  it('works with any batch though the file was exported with one size', () => {
    const steps: Step[] = [
      ['Reshape', ['x', 's'], 'f', { allowzero: 1 }],
      ['Gemm', ['f', 'w'], 'y'],
    ];
    const model = modelOf({ input: [1, 1, 2, 3], steps, weights: { w: weight, s: int64([2], [1, 6]) } });
    assert.equal(describeClassifier(model).input.fixedBatch, undefined);
    assert.deepEqual(cutAtLogits(model).inputs[0]?.shape, ['batch', 1, 2, 3]);
  });

  it('keeps the batch size that a constant of the file asks for', () => {
    const steps: Step[] = [
      ['Concat', ['x', 'c'], 'a', { axis: 2 }],
      ['Flatten', ['a'], 'f'],
      ['Gemm', ['f', 'w'], 'y'],
    ];
    const model = modelOf({ input: [2, 1, 2, 3], steps, weights: { w: wave([9, 2]), c: wave([2, 1, 1, 3]) } });
    assert.equal(describeClassifier(model).input.fixedBatch, 2);
    assert.deepEqual(cutAtLogits(model).inputs[0]?.shape, [2, 1, 2, 3]);
  });

  it('takes channels first though the file wants them last', () => {
    const steps: Step[] = [
      ['Transpose', ['x'], 't', { perm: [0, 3, 1, 2] }],
      ['Flatten', ['t'], 'f'],
      ['Gemm', ['f', 'w'], 'y'],
    ];
    const model = modelOf({ input: ['N', 4, 5, 3], steps, weights: { w: wave([60, 2]) } });
    const { layout, channels, height, width } = describeClassifier(model).input;
    assert.deepEqual([layout, channels, height, width], ['nhwc', 3, 4, 5]);
    const graph = cutAtLogits(model);
    assert.deepEqual(
      [graph.inputs[0]?.shape, graph.nodes[0]?.op, graph.nodes[0]?.outputs],
      [['batch', 3, 4, 5], 'Transpose', ['x']],
    );
  });
});
