import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../base/rng.ts';
import { float32 } from '../base/tensor.ts';
import {
  defend,
  describeDefence,
  gradientNorm,
  needsExamples,
  noiseVariance,
  type Defence,
  type Gradients,
} from './defence.ts';
import { toBfloat16, toFloat16, toInt8, toSigns } from './defence-quantise.ts';

const gradients = (seed: number, scale = 1): Gradients => {
  const draw = (name: string, dims: number[]): Float32Array<ArrayBuffer> => {
    const out = new Float32Array(dims.reduce((a, b) => a * b, 1));
    fillNormal(stream(seed, name), out, 0, scale);
    return out;
  };
  return { w: float32([50, 400], draw('w', [50, 400])), b: float32([50], draw('b', [50])) };
};
const all = (given: Gradients): number[] => Object.values(given).flatMap(({ data }) => [...data]);
const zero: Gradients = { w: float32([50, 400], new Float32Array(20_000)), b: float32([50], new Float32Array(50)) };

const isClose = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected}, got ${actual}`);

describe('noise', () => {
  for (const kind of ['gaussian', 'laplace'] as const) {
    it(`of the ${kind} kind has the variance that it states`, () => {
      const noise = all(defend([zero], { kind, variance: 0.04 }, 1));
      isClose(noise.reduce((sum, v) => sum + v * v, 0) / noise.length, 0.04, 0.0012);
      isClose(noise.reduce((sum, v) => sum + v, 0) / noise.length, 0, 0.005);
      // E|v| is √(2/π) σ for a normal, σ/√2 for a Laplace variable.
      const mean = noise.reduce((sum, v) => sum + Math.abs(v), 0) / noise.length;
      isClose(mean, 0.2 * (kind === 'gaussian' ? Math.sqrt(2 / Math.PI) : Math.SQRT1_2), 0.003);
    });
  }
  it('is the same for a seed and a step, and another one for another step', () => {
    const make = (seed: number, step: number): Gradients =>
      defend([zero], { kind: 'gaussian', variance: 1 }, seed, step);
    assert.deepEqual(make(3, 1), make(3, 1));
    assert.notDeepEqual(make(3, 1), make(3, 2));
    assert.notDeepEqual(make(3, 1), make(4, 1));
  });
});

describe('clipping', () => {
  it('scales each example over all tensors, before the mean', () => {
    const [small, large] = [gradients(1, 1e-4), gradients(2, 1)];
    assert.ok(gradientNorm(small) < 1 && gradientNorm(large) > 100);
    const clipped = defend([large], { kind: 'clip', norm: 1 }, 0);
    isClose(gradientNorm(clipped), 1, 1e-6);
    assert.deepEqual(defend([small], { kind: 'clip', norm: 1 }, 0), small);
    const both = defend([small, large], { kind: 'clip', norm: 1 }, 0);
    isClose(both['w']!.data[7]!, (small['w']!.data[7]! + clipped['w']!.data[7]!) / 2, 1e-9);
  });
  it('leaves the direction of one gradient, and so any cosine, unchanged', () => {
    const [one, other] = [gradients(1), gradients(5)];
    const cosine = (a: Gradients, b: Gradients): number => {
      const [x, y] = [all(a), all(b)];
      return x.reduce((sum, v, i) => sum + v * y[i]!, 0) / (gradientNorm(a) * gradientNorm(b));
    };
    isClose(cosine(defend([one], { kind: 'clip', norm: 0.1 }, 0), other), cosine(one, other), 1e-7);
  });
  it('in DP-SGD comes before noise of (multiplier · norm / B)²', () => {
    const defence = { kind: 'dp-sgd', norm: 2, multiplier: 1.5 } as const;
    const examples = [gradients(1), gradients(2), gradients(3), gradients(4)];
    const noisy = all(defend(examples, defence, 9));
    const plain = all(defend(examples, { kind: 'clip', norm: 2 }, 9));
    const variance = noisy.reduce((sum, v, i) => sum + (v - plain[i]!) ** 2, 0) / noisy.length;
    isClose(variance, 0.75 ** 2, 0.02);
    assert.equal(noiseVariance(defence, 4), 0.75 ** 2);
    assert.deepEqual([needsExamples(defence), needsExamples({ kind: 'int8' })], [true, false]);
  });
});

describe('pruning', () => {
  it('zeroes the smallest share of each tensor, or of all together', () => {
    const mixed: Gradients = { ...gradients(1, 1), b: gradients(2, 1e-3)['b']! };
    const share = (values: ArrayLike<number>): number =>
      Array.from(values).filter((v) => v === 0).length / values.length;
    const byTensor = defend([mixed], { kind: 'prune', fraction: 0.3, scope: 'tensor' }, 0);
    assert.deepEqual([share(byTensor['w']!.data), share(byTensor['b']!.data)], [0.3, 0.3]);
    const globally = defend([mixed], { kind: 'prune', fraction: 0.3, scope: 'global' }, 0);
    assert.ok(share(globally['b']!.data) > 0.9);
    isClose(share(all(globally)), 0.3, 1e-4);
    const kept = byTensor['w']!.data.filter((v) => v !== 0).map(Math.abs);
    const lost = mixed['w']!.data.filter((_, i) => byTensor['w']!.data[i] === 0).map(Math.abs);
    assert.ok(Math.min(...kept) >= Math.max(...lost));
  });
});

describe('quantisation', () => {
  it('to float16 rounds to the nearest half, ties to even', () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 1],
      [1 + 3 * 2 ** -11, 1 + 2 ** -9],
      [2 ** -25, 0],
      [1.5 * 2 ** -24, 2 * 2 ** -24],
      [65519, 65504],
      [65520, Infinity],
      [-0.1, -0.0999755859375],
    ];
    for (const [value, half] of cases) assert.equal(toFloat16(value), half);
  });
  it('to bfloat16 keeps eight bits', () => {
    const given = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -0.1, Infinity, 0);
    assert.deepEqual([...toBfloat16(given)], [1, 1 + 2 ** -6, -0.10009765625, Infinity, 0]);
    assert.ok(Number.isNaN(toBfloat16(Float32Array.of(Number.NaN))[0]));
  });
  it('to int8 and to signs leaves 255 and 2 levels', () => {
    const { data } = gradients(1)['w']!;
    const eight = toInt8(data);
    assert.ok(new Set(eight).size <= 255 && new Set(eight).size > 100);
    const scale = Math.max(...data.map(Math.abs)) / 127;
    assert.ok(eight.every((v, i) => Math.abs(v - data[i]!) <= 0.5001 * scale));
    assert.equal(new Set(toSigns(data)).size, 2);
    assert.deepEqual([...toSigns(Float32Array.of(3, -1, 0))].map(Math.sign), [1, -1, 0]);
    assert.deepEqual([...toInt8(new Float32Array(3))], [0, 0, 0]);
  });
});

it('a defence is described by its variance, share or norm', () => {
  const texts: [Defence, string][] = [
    [{ kind: 'none' }, 'none'],
    [{ kind: 'laplace', variance: 1e-3 }, 'Laplace noise, variance 0.001'],
    [{ kind: 'prune', fraction: 0.9, scope: 'global' }, 'pruning 90 %, over all tensors'],
    [{ kind: 'dp-sgd', norm: 1, multiplier: 1.1 }, 'DP-SGD, norm 1, noise multiplier 1.1'],
  ];
  for (const [defence, text] of texts) assert.equal(describeDefence(defence), text);
});

it('examples with other tensors, or none, are refused', () => {
  assert.throws(() => defend([], { kind: 'none' }, 0), { code: 'SHAPE_MISMATCH' });
  assert.throws(() => defend([gradients(1), { w: gradients(1)['w']! }], { kind: 'none' }, 0), {
    code: 'SHAPE_MISMATCH',
  });
});
