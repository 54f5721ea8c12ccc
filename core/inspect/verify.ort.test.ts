import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { float32, floatsOf, int64, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { openSafetensors } from '../data/safetensors.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { loadModel } from '../onnx/read.ts';
import { houseModel } from '../onnx/write.ts';
import { compile } from '../runtime/session.ts';
import { verifyGradients, type Verification } from './verify.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`testdata/${name}`, import.meta.url));

async function readReference(name: string): Promise<Record<string, Tensor>> {
  const file = await openSafetensors(fixture(`${name}.safetensors`));
  const tensors: Record<string, Tensor> = {};
  for (const key of file.entries.keys()) tensors[key] = await file.read(key);
  await file.close();
  return tensors;
}

const verify = (model: OnnxModel, reference: Record<string, Tensor>): Promise<Verification> =>
  verifyGradients(model, reference, { open: (graph) => compile(graph, { device: 'cpu', threads: 1 }) });

const errorsOf = ({ comparisons }: Verification): Record<string, number | null> =>
  Object.fromEntries(comparisons.map(({ name, relativeError }) => [name, relativeError]));
const failuresOf = ({ comparisons }: Verification): string[] =>
  comparisons.filter(({ passed }) => !passed).map(({ name }) => name);
const noteOf = ({ comparisons }: Verification, name: string): string | undefined =>
  comparisons.find((each) => each.name === name)?.note;

describe('gradients of a network made elsewhere', () => {
  it('agree with those of PyTorch to the first and second order', async () => {
    const reference = await readReference('test_efficientnet');
    const found = await verify(await loadModel(fixture('test_efficientnet.onnx')), reference);
    assert.ok(found.passed, JSON.stringify(errorsOf(found)));
    assert.equal(found.comparisons.length, Object.keys(reference).length - 2);
    for (const error of Object.values(errorsOf(found))) assert.ok(error !== null && error < 1e-5);
    assert.deepEqual([found.missing, found.ignored], [[], []]);
  });

  it('are those of the first use where the exporter has merged parameters', async () => {
    const reference = await readReference('test_convnext');
    const found = await verify(await loadModel(fixture('test_convnext.onnx')), reference);
    assert.ok(found.passed, JSON.stringify(errorsOf(found)));
    assert.equal(noteOf(found, 'dp/stages.2.blocks.0.norm.bias'), 'compared at the first of 9 uses');
  });

  it('that differ are named, and so is what the model does not have', async () => {
    const reference = await readReference('test_efficientnet');
    const weight = 'dp/classifier.weight';
    const { [weight]: dp, ...rest } = reference;
    assert.ok(dp);
    const scaled = floatsOf(dp).map((value) => 1.001 * value);
    const wrong = {
      ...rest,
      [weight]: float32(dp.dims, scaled),
      dx: float32([3], [1, 2, 3]),
      'dp/head.fc.weight': dp,
      logits: float32([2, 10], Array<number>(20).fill(Number.NaN)),
      gradient: dp,
    };
    const found = await verify(await loadModel(fixture('test_efficientnet.onnx')), wrong);
    assert.equal(found.passed, false);
    assert.deepEqual(failuresOf(found).sort(), ['dp/classifier.weight', 'dp/head.fc.weight', 'dx', 'logits']);
    assert.ok(Math.abs((errorsOf(found)[weight] ?? 0) - 1e-3 / 1.001) < 1e-6);
    assert.match(noteOf(found, 'dx') ?? '', /expected shape \[2, 3, 64, 64\], got \[3\]/);
    assert.match(noteOf(found, 'dp/head.fc.weight') ?? '', /no initialiser head\.fc\.weight/);
    assert.deepEqual(found.ignored, ['gradient']);
  });
});

/** Images [N, 1, 1, 2] to logits x·W·W with one W [2, 2], used twice. */
function twice(): OnnxModel {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [3, 1, 1, 2], ['batch', 1, 1, 2]);
  const weight = g.constant(float32([2, 2], [1, 0.5, -0.5, 2]), 'W');
  const layer = (value: Value): Value => g.matmul(value, weight);
  g.output('logits', layer(layer(g.flatten(x))));
  return houseModel(g.build('twice', (_, [, k = 0]) => ['batch', k]));
}

const x = [0.3, -0.7];
const W = [
  [1, 0.5],
  [-0.5, 2],
] as const;

/** dL/dW at the first use, at the second use: outer products of what goes in and what comes back. */
function derivatives(): { first: number[]; second: number[]; dx: number[] } {
  const times = (v: readonly number[]): number[] => [0, 1].map((j) => v[0]! * W[0][j]! + v[1]! * W[1][j]!);
  const back = (v: readonly number[]): number[] => W.map((row) => row[0] * v[0]! + row[1] * v[1]!);
  const hidden = times(x);
  const [a = 0, b = 0] = times(hidden);
  const p = 1 / (1 + Math.exp(b - a));
  const rate = [p - 1, 1 - p];
  const outer = (u: readonly number[], v: readonly number[]): number[] => u.flatMap((s) => v.map((t) => s * t));
  return { first: outer(x, back(rate)), second: outer(hidden, rate), dx: back(back(rate)) };
}

describe('a parameter that is used twice', () => {
  const { first, second, dx } = derivatives();
  const reference = { x: float32([1, 1, 1, 2], x), label: int64([1], [0]), dx: float32([1, 1, 1, 2], dx) };
  const both = first.map((value, i) => value + second[i]!);
  const cases: readonly (readonly [string, readonly number[], string])[] = [
    ['at the first of them', first, 'compared at the first of 2 uses'],
    ['over both', both, 'compared with the sum over 2 uses'],
    ['at the second alone', second, 'compared at use 2 of 2, node '],
  ];
  for (const [name, dp, note] of cases) {
    it(`may have its derivative ${name}, which is said`, async () => {
      const found = await verify(twice(), { ...reference, 'dp/W': float32([2, 2], dp) });
      assert.ok(found.passed, JSON.stringify(found));
      assert.ok(noteOf(found, 'dp/W')?.startsWith(note), noteOf(found, 'dp/W'));
      assert.deepEqual(found.missing, ['logits', 'loss', 'd2x']);
    });
  }

  it('differs when it is none of these', async () => {
    const found = await verify(twice(), { ...reference, 'dp/W': float32([2, 2], [0, 0, 0, 1]) });
    assert.deepEqual(failuresOf(found), ['dp/W']);
  });
});

const [rise, fall, bend] = [
  [1, 0.5, 0, 1, -1, 1, 0, 1],
  [-1, 1, 1, 0, 1, 1, 0, 1],
  [1, -1, 1, -1, 1, -1, 1, -1],
] as const;

/** Images [N, 1, 1, 8] to the logits x·rise + relu(x·bend) / 20 and x·fall. */
function kinked(): OnnxModel {
  const g = new GraphBuilder();
  const rows = g.flatten(g.input('x', 'float32', [3, 1, 1, 8], ['batch', 1, 1, 8]));
  const along = (direction: readonly number[]): Value => g.matmul(rows, g.constant(float32([8, 1], direction)));
  const bent = g.mul(g.relu(along(bend)), 0.05);
  g.output('logits', g.concat([g.add(along(rise), bent), along(fall)], 1));
  return houseModel(g.build('kinked', (_, [, k = 0]) => ['batch', k]));
}

describe('an image on a kink', () => {
  const pixels = Array<number>(8).fill(0.3);
  const dot = (direction: readonly number[]): number => direction.reduce((sum, value) => sum + 0.3 * value, 0);
  const p = 1 / (1 + Math.exp(dot(fall) - dot(rise)));
  /** ∂ loss / ∂x for label 1, where the ReLU's slope is taken to be `slope`. */
  const gradient = (slope: number): Tensor =>
    float32(
      [1, 1, 1, 8],
      rise.map((value, i) => p * (value - (fall[i] ?? NaN) + 0.05 * slope * (bend[i] ?? NaN))),
    );
  const reference = { x: float32([1, 1, 1, 8], pixels), label: int64([1], [1]) };

  it('may have the gradient of either side, which is said', async () => {
    const here = await verify(kinked(), { ...reference, dx: gradient(0) });
    assert.ok(here.passed);
    assert.equal(noteOf(here, 'dx'), undefined);
    const beyond = await verify(kinked(), { ...reference, dx: gradient(1) });
    assert.ok(beyond.passed, JSON.stringify(beyond));
    assert.match(noteOf(beyond, 'dx') ?? '', /at x itself, which lies within rounding of a kink/);
  });

  it('has none between or outside the sides', async () => {
    for (const slope of [0.5, -1, 2]) {
      const found = await verify(kinked(), { ...reference, dx: gradient(slope) });
      assert.deepEqual(failuresOf(found), ['dx'], `slope ${slope}`);
      assert.equal(noteOf(found, 'dx'), undefined);
    }
  });
});

describe('a reference', () => {
  const sound = { x: float32([1, 1, 1, 2], x), label: int64([1], [0]) };
  const refused = (reference: Record<string, Tensor>, message: RegExp): Promise<void> =>
    assert.rejects(verify(twice(), reference), { code: 'DATA_UNSUITABLE', message });

  it('needs x and labels that the model can take', async () => {
    await refused({}, /has no x and label/);
    await refused({ x: sound.x }, /has no label/);
    await refused(
      { ...sound, x: float32([1, 2, 1, 1], x) },
      /x to be float32 \[N, 1, 1, 2\].*got float32 \[1, 2, 1, 1\]/,
    );
    await refused({ ...sound, label: int64([1], [2]) }, /1 labels from 0 to 1, got 1: 2/);
    await refused({ ...sound, label: int64([2], [0, 1]) }, /1 labels from 0 to 1, got 2/);
  });

  it('may have its images as the file wants them, channels last', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3, 1, 2, 3], ['batch', 1, 2, 3]);
    const weight = g.constant(float32([6, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    g.output('logits', g.matmul(g.flatten(g.transpose(input, [0, 3, 1, 2])), weight));
    const model = houseModel(g.build('nhwc', (_, [, k = 0]) => ['batch', k]));
    const dims = [1, 1, 2, 3];
    const reference = { x: float32(dims, [1, 0, 0, 0, 0, 0]), label: int64([1], [1]) };
    // Each pixel adds 1 more to the second logit than to the first.
    const p = 1 / (1 + Math.E);
    const dx = float32(dims, Array<number>(6).fill(-p));
    assert.ok((await verify(model, { ...reference, dx })).passed);
    assert.deepEqual(failuresOf(await verify(model, { ...reference, dx: reference.x })), ['dx']);
  });

  it('that holds nothing to compare does not pass', async () => {
    assert.equal((await verify(twice(), sound)).passed, false);
  });

  it('may say what rounding left of zero', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3, 1, 1, 2], ['batch', 1, 1, 2]);
    const shift = g.constant(float32([1], [3]), 'shift');
    const scale = g.constant(float32([2], [1, 2]), 'scale');
    g.output('logits', g.add(g.mul(g.flatten(input), scale), shift));
    const model = houseModel(g.build('shift', (_, [, k = 0]) => ['batch', k]));
    // Adding the same to all logits changes nothing: the derivative by `shift` is zero.
    const [a = 0, b = 0] = x;
    const p = 1 / (1 + Math.exp(2 * b - a));
    const scaled = float32([2], [(p - 1) * a, (1 - p) * b]);
    const found = await verify(model, { ...sound, 'dp/scale': scaled, 'dp/shift': float32([1], [3e-9]) });
    assert.ok(found.passed, JSON.stringify(found));
    assert.match(noteOf(found, 'dp/shift') ?? '', /zero but for rounding/);
  });
});
