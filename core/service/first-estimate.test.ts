import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cost } from '../contract/inspection.ts';
import type { RunRequest } from '../contract/run.ts';
import { estimateFromGraphs, type EstimateSurroundings } from './first-estimate.ts';

const cost: Cost = {
  multiplyAdds: 5e8,
  forwardFlops: 1e9,
  inputGradientFlops: 2e9,
  parameterGradientFlops: null,
  secondOrderFlops: null,
  estimate: null,
};
const models = { teacher: { title: 'T', help: '', output: 'logits', gradients: 1 } } as const;
const request: RunRequest = {
  methodId: 'toy',
  methodVersion: 1,
  params: { images: 100 },
  models: { teacher: { kind: 'file', path: 'teacher.onnx' }, student: { kind: 'zoo', architecture: 'small' } },
  data: {},
  device: 'auto',
  threads: 2,
};
const asked: string[] = [];
const surroundings: EstimateSurroundings = {
  inspect: async () => ({ cost, classifier: { image: { channels: 3, height: 8, width: 8 }, classCount: 7 } }) as never,
  speed: [
    { device: 'cpu', threads: 1, gflops: 50 },
    { device: 'cpu', threads: 2, gflops: 100 },
  ],
  architecture: async (name, shape, classes) => {
    asked.push(`${name} ${shape.join('x')} ${classes}`);
    return { ...cost, forwardFlops: 1e8 };
  },
};
const work = (model: string, pass: 'forward' | 'input-gradient' | 'parameter-gradient') => [
  { times: ['images'], costs: [{ model, pass }] },
];

describe('a first estimate', () => {
  it('is operations over the measured speed of as many threads, with room for what runs really reach', async () => {
    const estimate = await estimateFromGraphs(
      { models, work: work('teacher', 'input-gradient') },
      request,
      surroundings,
    );
    const { lowMs, likelyMs, highMs } = estimate?.time ?? { lowMs: 0, likelyMs: 0, highMs: 0 };
    // 100 images × 3 GFLOP at 100 GFLOP/s are 3 s at full speed.
    assert.ok(
      lowMs > 3000 && lowMs < likelyMs && likelyMs < highMs && highMs < 60_000,
      `${lowMs} ${likelyMs} ${highMs}`,
    );
    assert.match(estimate?.basis ?? '', /first guess/);
  });

  it('asks for an architecture with the images and classes of the file beside it', async () => {
    const estimate = await estimateFromGraphs({ models, work: work('student', 'forward') }, request, surroundings);
    assert.ok(estimate?.time);
    assert.equal(asked.at(-1), 'small 3x8x8 7');
  });

  it('is not made without a measurement, for another device, or for a derivative that cannot be taken', async () => {
    const spec = { models, work: work('teacher', 'forward') };
    assert.equal(await estimateFromGraphs(spec, request, { ...surroundings, speed: [] }), null);
    assert.equal(await estimateFromGraphs(spec, { ...request, device: 'webgpu' }, surroundings), null);
    const impossible = { models, work: work('teacher', 'parameter-gradient') };
    assert.equal(await estimateFromGraphs(impossible, request, surroundings), null);
    assert.equal(await estimateFromGraphs({ models }, request, surroundings), null);
  });
});
