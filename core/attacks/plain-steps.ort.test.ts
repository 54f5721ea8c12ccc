import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { float32, floatsOf } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import { argmaxRows } from '../metrics/classification.ts';
import { compile } from '../runtime/session.ts';
import { openModel } from '../train/models.ts';
import { stepToPlane } from './hyperplane-loop.ts';
import { prepareAttack } from './registry.ts';
import { runAttack } from './shell.ts';
import {
  plainCarliniWagner,
  plainDdn,
  plainDeepFool,
  plainElasticNet,
  plainFab,
  plainFmn,
  sizeOf,
  toPlane,
  type Norm,
  type Oracle,
  type Vector,
} from './testing/plain-steps.ts';
import { openVictim, type Victim } from './victim.ts';

const session = { device: 'cpu', threads: 1 } as const;
const norms = ['linf', 'l2', 'l1'] as const;
const shape = [1, 4, 5] as const;
const [count, size, classes] = [9, 20, 4];
const box = [-1, 2] as const;
const images = new Float32Array(count * size);
fillUniform(stream(0, 'images'), images, ...box);
// Some pixels at the edges of the box, where digits have most of theirs.
for (let i = 0; i < images.length; i += 3) images[i] = i % 2 === 0 ? box[0] : box[1];

let victim: Victim;
let labels: Int32Array;
before(async () => {
  const model = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', { shape, classes, seed: 2 });
  victim = openVictim(model, { session, bounds: box });
  labels = argmaxRows(await victim.logits(images), classes);
});
after(() => victim.close());

function oracleOf(label: number): Oracle {
  const answer = (logits: Float32Array) => ({
    logits: [...logits],
    isFooled: argmaxRows(logits, classes)[0] !== label,
  });
  return {
    async gradient(objective, x) {
      const { logits, losses, gradient } = await victim.gradient(objective, Float32Array.from(x), { labels: [label] });
      return { ...answer(logits), loss: losses[0] ?? Number.NaN, slope: [...gradient] };
    },
    async difference(x, other) {
      const cotangent = Float32Array.from({ length: classes }, (_, k) => Number(k === other) - Number(k === label));
      const { logits, gradient } = await victim.vjp(Float32Array.from(x), cotangent);
      return { ...answer(logits), gap: logits[other]! - logits[label]!, normal: [...gradient] };
    },
  };
}

/** Sizes of what an attack finds, Infinity where it finds nothing. */
async function sizesOf(id: string, norm: Norm, options: object, epsilon = Infinity): Promise<number[]> {
  const steps = runAttack(prepareAttack(id, options), {
    victim,
    images,
    labels,
    indices: Int32Array.from(labels.keys()),
    threat: { norm, epsilon },
    seed: 0,
  });
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value.records.map((each) => (each.verdict === 'fooled' ? each[norm] : Infinity));
  }
}

async function agrees(
  found: Promise<number[]>,
  plain: (ask: Oracle, clean: Vector, others: readonly number[]) => Promise<number>,
): Promise<void> {
  const ours = await found;
  assert.ok(ours.filter(Number.isFinite).length >= count / 2, ours.join(' '));
  for (const [i, label] of labels.entries()) {
    const clean = [...images.subarray(i * size, (i + 1) * size)];
    const others = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== label);
    const expected = await plain(oracleOf(label), clean, others);
    if (!Number.isFinite(expected)) assert.equal(ours[i], expected);
    else
      assert.ok(Math.abs(ours[i]! - expected) <= 2e-3 * expected, `image ${i}: ${ours[i]}, step by step ${expected}`);
  }
}

/** Epsilons of FAB that most images fall at, some after steps that come too far. */
const reach = { linf: 0.3, l2: 0.9, l1: 3 } as const;

describe('an attack as a Loop finds what its steps find one by one on the host', () => {
  it('DDN', () => agrees(sizesOf('ddn', 'l2', { steps: 25 }), (ask, clean) => plainDdn(ask, clean, box, 25)));
  for (const norm of norms) {
    it(`FMN in ${norm}`, () =>
      agrees(sizesOf('fmn', norm, { steps: 25 }), (ask, clean) => plainFmn(ask, clean, box, 25, norm)));
    it(`FAB in ${norm}`, () =>
      agrees(sizesOf('fab', norm, { steps: 8 }, reach[norm]), (ask, clean, others) =>
        plainFab(ask, clean, box, { steps: 8, norm, epsilon: reach[norm] }, others),
      ));
    it(`FAB-T in ${norm}, whose classes come one after the other`, () =>
      agrees(sizesOf('fab-t', norm, { steps: 8 }, reach[norm]), async (ask, clean, others) => {
        const { logits } = await ask.gradient('margin', clean);
        for (const other of others.toSorted((a, b) => logits[b]! - logits[a]!)) {
          const found = await plainFab(ask, clean, box, { steps: 8, norm, epsilon: reach[norm] }, [other]);
          if (Number.isFinite(found)) return found;
        }
        return Infinity;
      }));
  }
  for (const norm of ['l2', 'linf'] as const) {
    it(`DeepFool in ${norm}`, () =>
      agrees(sizesOf('deepfool', norm, { polish: 0 }), (ask, clean, others) =>
        plainDeepFool(ask, clean, box, 50, norm, others),
      ));
  }
  it('Carlini–Wagner', () => {
    const search = { rounds: 3, steps: 40, learningRate: 0.1, firstConstant: 0.1, confidence: 0.05 };
    return agrees(sizesOf('carlini-wagner', 'l2', search), (ask, clean) => plainCarliniWagner(ask, clean, box, search));
  });
  for (const norm of ['l1', 'l2'] as const) {
    it(`EAD in ${norm}`, () => {
      const search = { rounds: 4, steps: 40, learningRate: 0.05, firstConstant: 0.5, confidence: 0 };
      return agrees(sizesOf('ead', norm, { ...search, sparsity: 0.02 }), (ask, clean) =>
        plainElasticNet(ask, clean, box, search, 0.02, norm),
      );
    });
  }
});

/** Steps to planes from points of the box [0, 1], all at once in a graph. */
async function stepsInGraph(
  norm: Norm,
  points: readonly { from: Vector; w: Vector; gap: number }[],
): Promise<Vector[]> {
  const [rows, width] = [points.length, points[0]?.from.length ?? 0];
  const g = new GraphBuilder();
  const [from, normal] = ['from', 'normal'].map((name) => g.input(name, 'float32', [rows, 1, 1, width]));
  assert.ok(from && normal);
  const gap = g.input('gap', 'float32', [rows, 1, 1, 1]);
  g.output('step', stepToPlane(g, norm, { from, normal, gap, bounds: [0, 1] }));
  const run = await compile(g.build('planes'), session);
  const stacked = (of: (point: (typeof points)[number]) => Vector) => float32([rows, 1, 1, width], points.flatMap(of));
  const { step } = await run.run({
    from: stacked(({ from: each }) => each),
    normal: stacked(({ w }) => w),
    gap: float32(
      [rows, 1, 1, 1],
      points.map((each) => each.gap),
    ),
  });
  await run.close();
  assert.ok(step);
  return points.map((_, i) => [...floatsOf(step).subarray(i * width, (i + 1) * width)]);
}

describe('the step to a hyperplane in a box', () => {
  for (const norm of norms) {
    it(`lands on it inside the box, and no shorter ${norm} step does`, async () => {
      const points = Array.from({ length: 200 }, (_, trial) => {
        const rng = stream(3, 'plane', norm, trial);
        const width = 60;
        const [from, w, goal] = [0, 1, 2].map(() => Array.from({ length: width }, () => rng.uniform()));
        assert.ok(from && w && goal);
        // Through a point of the box, so that it can be reached; every other one nearly as far as a corner.
        const signed = w.map((value) => 2 * value - 1);
        const at = goal.map((value, i) => (trial % 2 === 0 ? value : Number(signed[i]! > 0) * 0.98 + 0.01));
        const gap = signed.reduce((sum, value, i) => sum + value * (from[i]! - at[i]!), 0);
        return { from, w: signed, gap, at };
      });
      for (const [i, d] of (await stepsInGraph(norm, points)).entries()) {
        const { from, w, gap, at } = points[i] ?? assert.fail();
        assert.ok(d.every((value, j) => value + from[j]! >= -1e-6 && value + from[j]! <= 1 + 1e-6));
        assert.ok(Math.abs(gap + d.reduce((sum, value, j) => sum + value * w[j]!, 0)) < 2e-5 * (1 + Math.abs(gap)));
        const shortest = sizeOf(norm, toPlane(norm, from, w, gap, [0, 1]));
        assert.ok(Math.abs(sizeOf(norm, d) - shortest) < 1e-4 * (1 + shortest));
        const other = at.map((value, j) => value - from[j]!);
        assert.ok(sizeOf(norm, other) >= sizeOf(norm, d) - 1e-4);
      }
    });
  }

  it('is |f| w / ‖w‖² in l2 and |f| sign(w) / ‖w‖₁ in linf where the box is far', async () => {
    const at = { from: [0.5, 0.5, 0.5], w: [3, -4, 0] };
    const rounded = (steps: readonly Vector[]) => steps.map((d) => d.map((value) => Number(value.toFixed(5))));
    assert.deepEqual(rounded(await stepsInGraph('l2', [{ ...at, gap: -0.05 }])), [[0.006, -0.008, 0]]);
    assert.deepEqual(rounded(await stepsInGraph('linf', [{ ...at, gap: -0.07 }])), [[0.01, -0.01, 0]]);
  });

  it('goes as far as the box lets it where the plane is out of reach', async () => {
    for (const norm of norms) {
      const d = await stepsInGraph(norm, [{ from: [0.25, 0.75], w: [1, -1], gap: -9.5 }]);
      assert.deepEqual(d, [[0.75, -0.75]]);
    }
  });
});
