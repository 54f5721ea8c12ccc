import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { float32, tensor, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import type { Attribute, GraphNode, OnnxModel } from '../onnx/graph.ts';
import { loadModel } from '../onnx/read.ts';
import { houseModel } from '../onnx/write.ts';
import { asksForNormalisation } from '../contract/inspection.ts';
import { inspectModel } from './inspect.ts';
import type { Inspection } from './inspection.ts';
import { tinyModel, tinyNetwork } from './testing/tiny-models.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`testdata/${name}`, import.meta.url));

const inspected = (model: OnnxModel, speed?: Parameters<typeof inspectModel>[1]['speed']): Inspection =>
  inspectModel(model, {
    file: { path: 'a.onnx', sizeBytes: 1, sha256: '', hasExternalData: false, weights: {} },
    settings: [],
    speed,
  });

const codesOf = ({ warnings }: Inspection): string[] => warnings.map(({ code }) => code);

describe('an inspected network', () => {
  const found = inspected(tinyNetwork(), { device: 'cpu', threads: 2, gflops: 1 });

  it('is asked about for what only its maker knows', () => {
    assert.deepEqual(found.questions.map(asksForNormalisation), [true]);
  });

  it('is described from image to logits', () => {
    const { classifier } = found;
    assert.ok(classifier);
    assert.deepEqual(classifier.image, {
      name: 'image',
      layout: 'nchw',
      channels: 1,
      height: 6,
      width: 6,
      fixedBatch: null,
    });
    assert.deepEqual(classifier.logits, { name: 'scores', softmaxRemoved: false });
    assert.equal(classifier.classCount, 4);
    assert.deepEqual([classifier.lastLayer?.weight, classifier.lastLayer?.featureCount], ['fc.weight', 27]);
    assert.deepEqual(
      classifier.featureLayers.map(({ op, shape, depth }) => [op, shape, depth]),
      [
        ['MaxPool', ['N', 3, 3, 3], 1],
        ['Flatten', ['N', 27], 1],
      ],
    );
    assert.deepEqual(classifier.parameters, {
      count: 3 * 9 + 3 + 4 * 27 + 4,
      tensors: 4,
      named: 4,
      names: ['conv.weight', 'conv.bias', 'fc.weight', 'fc.bias'],
    });
    assert.deepEqual([found.warnings, found.problems], [[], []]);
  });

  it('has its operations counted, and its time estimated from the measured speed', () => {
    const { cost } = found;
    assert.ok(cost?.estimate && cost.inputGradientFlops !== null);
    const products = 3 * 36 * 9 + 27 * 4;
    assert.equal(cost.multiplyAdds, products);
    // A pool over 3 · 36 numbers, and Relu of the 27 that are left.
    assert.equal(cost.forwardFlops, 2 * products + 3 * 36 + 27);
    assert.ok(cost.inputGradientFlops > 2 * products && cost.inputGradientFlops < 6 * products);
    assert.ok(cost.secondOrderFlops !== null && cost.secondOrderFlops > 2 * cost.inputGradientFlops);
    assert.equal(cost.estimate.forwardMs, cost.forwardFlops / 1e6);
    assert.equal(cost.estimate.inputGradientMs, (cost.forwardFlops + cost.inputGradientFlops) / 1e6);
  });

  it('can be differentiated to the second order', () => {
    const possible = { isPossible: true, missing: [] };
    assert.deepEqual(found.differentiability, { order1: possible, order2: possible });
  });

  it('costs the same for each image when its batch is fixed', () => {
    const fixed = inspected(tinyNetwork(4));
    assert.equal(fixed.cost?.multiplyAdds, found.cost?.multiplyAdds);
    assert.equal(fixed.cost?.forwardFlops, found.cost?.forwardFlops);
  });

  it('asks for what it does not say', () => {
    assert.match(found.questions.join(), /mean and standard deviation .*Not found in the metadata of the file/);
  });
});

describe('an inspected file of an exporter', () => {
  it('tells folded batch normalisation, feature layers and merged parameters', async () => {
    const efficientnet = inspected(await loadModel(fixture('test_efficientnet.onnx')));
    assert.deepEqual(efficientnet.classifier?.batchNorm, { present: 0, trainingMode: 0, folded: 'likely' });
    const convnext = inspected(await loadModel(fixture('test_convnext.onnx')));
    assert.equal(convnext.classifier?.batchNorm.folded, 'unlikely');
    assert.deepEqual(codesOf(convnext), ['shared-parameters']);
    const depths = convnext.classifier?.featureLayers.map(({ depth }) => depth) ?? [];
    assert.ok(depths.length >= 9);
    assert.deepEqual(
      depths,
      depths.toSorted((a, b) => a - b),
    );
    assert.ok(convnext.classifier && convnext.classifier.parameters.named < convnext.classifier.parameters.tensors);
  });
});

/** Appends operators that the builder has no method for. */
const emit = (
  g: GraphBuilder,
  op: string,
  inputs: readonly Value[],
  attributes: Record<string, Attribute> = {},
): Value => {
  const [value] = g.op(op, inputs, attributes);
  assert.ok(value);
  return value;
};

const linear = (g: GraphBuilder, x: Value, parameter: (name: string, shape: readonly number[]) => Value): Value =>
  g.matmul(g.flatten(x), parameter('w', [4, 3]));

describe('a warning', () => {
  const cases: readonly (readonly [string, Parameters<typeof tinyModel>[1], readonly string[], RegExp])[] = [
    [
      'of branches gated by the image',
      (g, x, p) => linear(g, g.where(g.greater(x, 0.9), g.full(x.shape, 5), x), p),
      ['input-branch'],
      /Greater/,
    ],
    ['of steps without a derivative', (g, x, p) => linear(g, g.add(x, g.floor(x)), p), ['zero-gradient'], /Floor/],
    [
      'of statistics of the batch',
      (g, x, p) => {
        const one = g.floats([1], [1]);
        return linear(
          g,
          emit(g, 'BatchNormalization', [x, one, one, one, one], { training_mode: { type: 'int', value: 1 } }),
          p,
        );
      },
      ['training-batch-norm'],
      /BatchNormalization/,
    ],
    [
      'of shared parameters',
      (g, x, p) => {
        const twice = p('twice.weight', [4, 4]);
        return g.matmul(g.matmul(g.matmul(g.flatten(x), twice), twice), p('w', [4, 3]));
      },
      ['shared-parameters'],
      /twice\.weight/,
    ],
    [
      'is not given where attention asks for rows that are masked altogether',
      (g, x, p) => {
        const weights = g.softmax(x, -1);
        return linear(g, g.where(emit(g, 'IsNaN', [weights]), g.full(x.shape, 0), weights), p);
      },
      [],
      /^$/,
    ],
    [
      'is not given for masks that do not come from the image',
      (g, x, p) => linear(g, g.where(g.greater(p('mask', [1, 1, 2, 2]), 0), x, g.neg(x)), p),
      [],
      /^$/,
    ],
  ];
  for (const [name, body, codes, message] of cases) {
    it(name, () => {
      const found = inspected(tinyModel([1, 2, 2], body));
      assert.deepEqual(codesOf(found), codes, JSON.stringify(found.warnings));
      const text = found.warnings.map((warning) => JSON.stringify(warning)).join('');
      assert.match(text, message);
    });
  }

  /** The tiny linear model with a node in front of its output. */
  const ending = (node: Partial<GraphNode>, tensors: Readonly<Record<string, Tensor>> = {}): OnnxModel => {
    const model = tinyModel([1, 2, 2], linear);
    const { graph } = model;
    const [output] = graph.outputs;
    assert.ok(output);
    const inputs = ['inner', ...Object.keys(tensors)];
    const last: GraphNode = {
      name: 'last',
      domain: '',
      op: 'Identity',
      inputs,
      outputs: [output.name],
      attributes: {},
      ...node,
    };
    const renamed = graph.nodes.map((each) => ({
      ...each,
      outputs: each.outputs.map((name) => (name === output.name ? 'inner' : name)),
    }));
    const initializers = new Map([...graph.initializers, ...Object.entries(tensors)]);
    return { ...model, graph: { ...graph, initializers, nodes: [...renamed, last] } };
  };

  it('of half precision is given for weights that are only stored so', () => {
    const { graph } = tinyNetwork();
    const weight = graph.initializers.get('conv.weight') ?? assert.fail();
    const stored = tensor('float16', weight.dims, new Uint16Array(weight.data.length).fill(0x3c00));
    const cast: GraphNode = {
      name: 'cast',
      domain: '',
      op: 'Cast',
      inputs: ['stored'],
      outputs: ['conv.weight'],
      attributes: { to: { type: 'int', value: 1 } },
    };
    const initializers = new Map([...graph.initializers, ['stored', stored] as const]);
    initializers.delete('conv.weight');
    const found = inspected(houseModel({ ...graph, initializers, nodes: [cast, ...graph.nodes] }));
    assert.deepEqual(codesOf(found), ['half-precision']);
    assert.equal(found.classifier?.parameters.names.includes('stored'), true);
    assert.equal(found.differentiability.order2.isPossible, true);
  });

  it('of randomness, custom and quantised parts names the nodes, though the file cannot be used', () => {
    const scalars = { scale: float32([], [1]), zero: tensor('uint8', [], new Uint8Array(1)) };
    const files: readonly (readonly [string, OnnxModel])[] = [
      ['randomness', ending({ op: 'RandomNormalLike' })],
      ['custom-operator', ending({ op: 'Special', domain: 'com.example' })],
      ['quantised', ending({ op: 'QuantizeLinear' }, scalars)],
    ];
    for (const [code, model] of files) {
      const found = inspected(model);
      assert.ok(codesOf(found).includes(code), `${code}: ${codesOf(found).join()}`);
      assert.deepEqual(found.warnings.find((warning) => warning.code === code)?.nodes[0]?.node, 'last');
      assert.equal(found.classifier, null);
      assert.ok(found.problems.length > 0);
    }
  });

  it('is nothing against a model whose operators have no rule: those are named, all at once', () => {
    const found = inspected(ending({ op: 'RandomNormalLike' }));
    assert.deepEqual(found.differentiability.order1.missing, [{ op: 'RandomNormalLike', node: 'last' }]);
    assert.deepEqual(found.differentiability.order2.isPossible, false);
  });
});

describe('a file that is no classifier', () => {
  it('is described as far as that goes', () => {
    const g = new GraphBuilder();
    g.output('y', g.relu(g.input('x', 'float32', [2, 5], ['n', 5])));
    const found = inspected(houseModel(g.build('flat')));
    assert.equal(found.classifier, null);
    assert.deepEqual(
      [found.operators, found.inputs],
      [{ Relu: 1 }, [{ name: 'x', dtype: 'float32', shape: ['n', 5] }]],
    );
    assert.deepEqual(
      found.problems.map(({ code }) => code),
      ['MODEL_UNSUITABLE'],
    );
  });

  it('may only leave its image size open, which is asked for', () => {
    const { graph, ...rest } = tinyModel([1, 2, 2], (g, x) => g.reduceMean(x, [2, 3]));
    const [input] = graph.inputs;
    assert.ok(input);
    const open = { ...rest, graph: { ...graph, inputs: [{ ...input, shape: ['n', 1, 'height', 'width'] }] } };
    assert.match(inspected(open).questions.join(), /Which sizes .* for height, width\?/);
  });

  it('may hold numbers that are not finite', () => {
    const model = tinyModel([1, 2, 2], (g, x) =>
      g.matmul(g.flatten(x), g.floats([4, 2], Array<number>(8).fill(Number.NaN))),
    );
    assert.deepEqual(
      inspected(model).problems.map(({ code }) => code),
      ['MODEL_NOT_FINITE'],
    );
  });
});
