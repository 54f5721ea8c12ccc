import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cost } from '../contract/inspection.ts';
import type { RunRequest } from '../contract/run.ts';
import type { MethodSpec, Pass, Work } from '../methods/define.ts';
import { foresee, type EstimateSurroundings } from './first-estimate.ts';

const cost: Cost = {
  multiplyAdds: 5e8,
  forwardFlops: 1e9,
  inputGradientFlops: 2e9,
  parameterGradientFlops: null,
  secondOrderFlops: null,
  operators: { forward: 40, inputGradient: 200, parameterGradient: null, secondOrder: null },
  activations: 1e6,
  estimate: null,
};
const models = { teacher: { title: 'Teacher', help: '', output: 'logits', gradients: 1 } } as const;
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
  inspect: async () =>
    ({
      cost,
      classifier: { image: { channels: 3, height: 8, width: 8 }, classCount: 7, parameters: { count: 1000 } },
    }) as never,
  speed: [
    { device: 'cpu', threads: 1, gflops: 50 },
    { device: 'cpu', threads: 2, gflops: 100 },
  ],
  architecture: async (name, shape, classes) => {
    asked.push(`${name} ${shape.join('x')} ${classes}`);
    return { cost: { ...cost, forwardFlops: 1e6 }, parameters: 500 };
  },
  describe: async ({ path }) => (path === 'gone' ? null : { count: 60, shape: [1, 28, 28], classes: 10 }),
};

const work = (model: string, pass: Pass, more: Partial<Work> = {}): Pick<MethodSpec, 'work' | 'models'> => ({
  models,
  work: [{ times: ['images'], costs: [{ model, pass }], ...more }],
});
const timeOf = async (spec: Parameters<typeof foresee>[0], given = request, where = surroundings) =>
  (await foresee(spec, given, where)).estimate.time?.likelyMs ?? assert.fail();
const basisOf = async (spec: Parameters<typeof foresee>[0], given = request, where = surroundings) => {
  const { estimate } = await foresee(spec, given, where);
  assert.equal(estimate.time, null);
  return estimate.basis;
};

describe('what graphs foresee of a run', () => {
  it('is operations over the measured speed, with room for what runs really reach', async () => {
    const { estimate } = await foresee(work('teacher', 'input-gradient'), request, surroundings);
    const { lowMs, likelyMs, highMs } = estimate.time ?? assert.fail();
    // 100 images × 3 GFLOP at twice 50 GFLOP/s are 3 s at full speed.
    assert.ok(lowMs > 3000 && lowMs < likelyMs && likelyMs < highMs && highMs < 20_000, `${lowMs} ${highMs}`);
    assert.match(estimate.basis, /measured speed/);
  });

  it('takes longer where a part runs alone, and where few images share the cost of an operator', async () => {
    const shared = await timeOf(work('teacher', 'input-gradient'));
    assert.ok((await timeOf(work('teacher', 'input-gradient', { isAlone: true }))) > 1.3 * shared);
    const small = (batch: number) => timeOf(work('student', 'forward', { batch }));
    assert.ok((await small(1)) > (await small(100)));
  });

  it('asks for an architecture with the images and classes of the file beside it, else with those of the data', async () => {
    await timeOf(work('student', 'forward'));
    assert.equal(asked.at(-1), 'small 3x8x8 7');
    const data = { images: { path: 'mnist', format: 'auto', split: 'all' } } as const;
    await timeOf(work('student', 'forward'), { ...request, models: { student: request.models['student']! }, data });
    assert.equal(asked.at(-1), 'small 1x28x28 10');
  });

  it('counts the images of a data set up to its limit', async () => {
    const spec = {
      models,
      work: [{ times: ['data.train'] as const, costs: [{ model: 'teacher', pass: 'forward' as const }] }],
    };
    const of = (limit?: number) =>
      timeOf(spec, {
        ...request,
        data: { train: { path: 'x', format: 'auto', split: 'all', ...(limit === undefined ? {} : { limit }) } },
      });
    const [all, half] = [await of(), await of(30)];
    assert.equal(all - 3000, 2 * (half - 3000));
  });

  it('says of other parameters how long they take, so that a run before can be scaled', async () => {
    const foreseen = await foresee(work('teacher', 'forward'), request, surroundings);
    const [once = 0, twice = 0] = [100, 200].map((images) => foreseen.timeWith({ images }) ?? assert.fail());
    assert.ok(twice > 1.2 * once && twice < 2 * once);
  });

  it('adds up memory of the job, its lanes and what is kept, and says what is written', async () => {
    const footprint = (lanes: number) => () => ({ lanes, keptBytes: 1e8, batchSize: 10, writtenBytes: 5e6 });
    const of = async (lanes: number) =>
      (await foresee({ ...work('teacher', 'forward'), footprint: footprint(lanes) }, request, surroundings)).estimate;
    const [none, two] = [await of(0), await of(2)];
    assert.ok((none.memoryBytes ?? 0) > 1e8 + 200e6 && (none.memoryBytes ?? 0) < 1e9);
    assert.ok((two.memoryBytes ?? 0) > (none.memoryBytes ?? 0) + 2 * 200e6);
    assert.equal(two.diskBytes, 5e6);
  });

  it('says why it cannot tell: no measurement, another device, no derivative, an unknown model, no declaration', async () => {
    const spec = work('teacher', 'forward');
    assert.match(await basisOf(spec, request, { ...surroundings, speed: [] }), /not measured yet/);
    assert.match(await basisOf(spec, { ...request, device: 'webgpu' }), /speed of webgpu/);
    assert.match(await basisOf(work('teacher', 'parameter-gradient')), /Teacher: the gradients .* do not exist/);
    assert.match(await basisOf(work('nobody', 'forward')), /"nobody" is not known/);
    assert.match(await basisOf({ models }), /does not declare its work/);
  });
});
