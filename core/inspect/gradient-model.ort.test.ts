import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { float32, floatsOf, int64, type Tensor } from '../base/tensor.ts';
import { openSafetensors } from '../data/safetensors.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { loadModel, readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { openSession, type Tensors } from '../runtime/session.ts';
import { norm } from './compare.ts';
import { fixDimensions } from '../onnx/dimensions.ts';
import { gradientModel, type GradientModel } from './gradient-model.ts';
import { randomTensor, tinyModel, tinyNetwork } from './testing/tiny-models.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`testdata/${name}`, import.meta.url));

async function run({ model }: GradientModel, feeds: Tensors): Promise<Record<string, Tensor>> {
  const session = await openSession(writeModel(model), { device: 'cpu', threads: 1 }, 'gradient');
  const results = await session.run(feeds);
  await session.close();
  return results;
}

function assertClose(ours: Tensor | undefined, theirs: Tensor | undefined, tolerance: number, what: string): void {
  assert.ok(ours && theirs, what);
  const error = norm(ours.data, theirs.data) / norm(theirs.data);
  assert.ok(error <= tolerance, `${what}: ${error}`);
}

const imagesFor = (n: number): Tensors => ({
  image: randomTensor([n, 1, 6, 6], `images ${n}`),
  labels: int64(
    [n],
    Array.from({ length: n }, (_, i) => i % 4),
  ),
});

const namesOf = (ports: GradientModel['inputs']): string[] => ports.map(({ name }) => name);

describe('a gradient file', () => {
  it('computes what PyTorch does, to the second order', async () => {
    const file = await openSafetensors(fixture('test_efficientnet.safetensors'));
    const read = (name: string): Promise<Tensor> => file.read(name);
    const names = [...file.entries.keys()].filter((name) => name.startsWith('dp/'));
    const wrt = ['input', ...names.map((name) => name.slice(3))];
    const model = await loadModel(fixture('test_efficientnet.onnx'));
    const made = gradientModel(model, { of: 'cross-entropy', wrt, order: 2 });
    const results = await run(made, { input: await read('x'), labels: await read('label') });
    for (const name of ['logits', 'loss', 'dx', ...names, 'd2x']) {
      const theirs = await read(name);
      assertClose(results[name], theirs, name === 'd2x' ? 1e-4 : 1e-5, name);
    }
    assert.equal(made.fixedBatch, 2);
    await file.close();
  });

  it('has documented ports, standard operators and no input that is a weight', () => {
    const made = gradientModel(tinyNetwork(), { of: 'cross-entropy', wrt: ['input', 'parameters'], order: 2 });
    assert.deepEqual(namesOf(made.inputs), ['image', 'labels']);
    const parameters = ['dp/conv.weight', 'dp/conv.bias', 'dp/fc.weight', 'dp/fc.bias'];
    assert.deepEqual(namesOf(made.outputs), ['loss', 'logits', 'dx', ...parameters, 'dp_squared_norm', 'd2x']);
    for (const { meaning } of [...made.inputs, ...made.outputs]) assert.ok(meaning);
    assert.ok(made.model.graph.nodes.every(({ domain }) => domain === ''));
    assert.match(made.model.metadata['palimpsest.gradient.outputs'] ?? '', /^dx float32 \[n, 1, 6, 6\]: ∂ loss/m);
    assert.deepEqual(readModel(writeModel(made.model)).metadata, made.model.metadata);
  });

  it('ends in the gradients that are ready first, those of the last layer at the very end', () => {
    const { nodes } = gradientModel(tinyNetwork(), { of: 'cross-entropy', wrt: ['parameters'], order: 1 }).model.graph;
    const placeOf = (name: string): number => nodes.findIndex(({ outputs }) => outputs.includes(name));
    const read = new Set(nodes.flatMap(({ inputs }) => inputs));
    const firstLeaf = nodes.findIndex(({ outputs }) => outputs.every((name) => !read.has(name)));
    assert.ok(nodes.slice(firstLeaf).every(({ outputs }) => outputs.every((name) => !read.has(name))));
    assert.ok(placeOf('dp/fc.weight') > placeOf('dp/conv.weight'));
  });

  const requests = [
    { of: 'cross-entropy', wrt: ['input', 'parameters'], order: 1 },
    { of: 'cross-entropy', wrt: ['conv.weight'], order: 2 },
    { of: 'logit', wrt: ['input', 'fc.bias'], order: 1 },
    { of: 'scores', wrt: ['input'], order: 1 },
  ] as const;
  for (const request of requests) {
    const { of, wrt, order } = request;
    it(`keeps a symbolic batch: ${of} by ${wrt.join(' and ')} to order ${order}`, async () => {
      const any = gradientModel(tinyNetwork(), request);
      assert.deepEqual([any.fixedBatch, any.notes], [undefined, []]);
      for (const n of [1, 4, 9]) {
        const { image, labels } = imagesFor(n);
        assert.ok(image && labels);
        const feeds = of === 'scores' ? { image } : { image, labels };
        const fixed = gradientModel(tinyNetwork(n), request);
        assert.equal(fixed.fixedBatch, n);
        const expected = await run(fixed, feeds);
        const results = await run(any, feeds);
        assert.deepEqual(Object.keys(results).sort(), Object.keys(expected).sort());
        for (const [name, theirs] of Object.entries(expected)) {
          assert.deepEqual(results[name]?.dims, theirs.dims);
          assertClose(results[name], theirs, 1e-6, `${name} for ${n} images`);
        }
      }
    });
  }

  it('of logits has a row for each image, whatever the others are', async () => {
    const made = gradientModel(tinyNetwork(), { of: 'logit', wrt: ['input'], order: 1 });
    const { image, labels } = imagesFor(3);
    assert.ok(image && labels);
    const together = await run(made, { image, labels });
    const alone = await run(made, {
      image: float32([1, 1, 6, 6], floatsOf(image).slice(36, 72)),
      labels: int64([1], [1]),
    });
    assert.ok(together['dx'] && alone['dx'] && together['logit']);
    assertClose(float32([36], floatsOf(together['dx']).slice(36, 72)), alone['dx'], 1e-6, 'row 1');
    assert.deepEqual(together['logit'].dims, [3]);
  });

  it('refuses a label that is no class', async () => {
    const made = gradientModel(tinyNetwork(), { of: 'cross-entropy', wrt: ['input'], order: 1 });
    await assert.rejects(run(made, { ...imagesFor(1), labels: int64([1], [4]) }), /out of|bound/i);
  });

  it('keeps its names apart from those of the model', () => {
    const model = tinyModel([1, 2, 2], (g, x, parameter) => g.matmul(g.flatten(x), parameter('labels', [4, 3])));
    const made = gradientModel(model, { of: 'cross-entropy', wrt: ['labels'], order: 1 });
    assert.deepEqual(namesOf(made.inputs), ['image', 'labels_']);
    assert.deepEqual(namesOf(made.outputs), ['loss', 'logits', 'dp/labels']);
  });

  it('says which gradients are zero', async () => {
    const model = tinyModel([1, 2, 2], (g, x, parameter) => {
      const rows = g.flatten(x);
      const steps = g.floor(g.add(rows, parameter('steps', [4])));
      return g.matmul(g.add(rows, steps), parameter('weight', [4, 3]));
    });
    const made = gradientModel(model, { of: 'scores', wrt: ['steps'], order: 1 });
    assert.match(made.notes.join(), /does not depend on steps/);
    const { image } = { image: randomTensor([2, 1, 2, 2], 'x') };
    assert.deepEqual((await run(made, { image }))['dp/steps'], float32([4], [0, 0, 0, 0]));
  });
});

describe('a batch that cannot be made symbolic', () => {
  it('is fixed, with the reason', () => {
    // The sum over pairs of images multiplies by √N, which no rule of ours expresses.
    const model = tinyModel([1, 2, 2], (g, x, parameter) => {
      const logits = g.matmul(g.flatten(x), parameter('weight', [4, 3]));
      const [shape] = g.op('Shape', [x], {}, { types: [{ dtype: 'int64', shape: [4] }] });
      assert.ok(shape);
      const n = g.sqrt(g.cast(g.gather(shape, g.ints([0]), 0), 'float32'));
      return g.mul(logits, n);
    });
    const made = gradientModel(model, { of: 'scores', wrt: ['input'], order: 1 });
    assert.equal(made.fixedBatch, 1);
    assert.match(made.notes.join(), /^The batch is fixed to 1, because a constant of Mul/);
  });
});

describe('a request for a gradient', () => {
  const refused = (
    model: OnnxModel,
    request: Parameters<typeof gradientModel>[1],
    message: RegExp,
    hint: RegExp,
  ): void =>
    assert.throws(
      () => gradientModel(model, request),
      (error: { message: string; hint?: string }) => {
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        return true;
      },
    );

  it('names what the model does not have', () => {
    const ask = { of: 'cross-entropy', wrt: ['input'], order: 1 } as const;
    refused(tinyNetwork(), { ...ask, wrt: ['input', 'fc'] }, /no float32 input or initialiser fc /, /conv\.weight/);
    refused(tinyNetwork(), { ...ask, of: 'score' }, /no value "score"/, /outputs are scores/);
  });

  it('is refused where no derivative leads to the input', () => {
    const model = tinyModel([1, 2, 2], (g, x, parameter) => g.matmul(g.floor(g.flatten(x)), parameter('w', [4, 3])));
    refused(model, { of: 'logit', wrt: ['input'], order: 1 }, /does not follow image/, /inspect/);
  });

  it('asks for sizes that the file leaves open', () => {
    const { graph, ...rest } = tinyModel([1, 2, 2], (g, x) => g.reduceMean(x, [2, 3]));
    const [input] = graph.inputs;
    assert.ok(input);
    const open = { ...rest, graph: { ...graph, inputs: [{ ...input, shape: ['n', 1, 'height', ''] }] } };
    const ask = { of: 'scores', wrt: ['input'], order: 1 } as const;
    refused(open, ask, /dimension 2 \("height"\) of image, dimension 3/, /--dims/);
    const made = gradientModel(fixDimensions(open, { height: 2, 'image.3': 5 }), ask);
    assert.deepEqual(made.inputs[0]?.shape, ['n', 1, 2, 5]);
    assert.throws(() => fixDimensions(open, { width: 2 }), /no symbolic dimension width/);
  });
});
