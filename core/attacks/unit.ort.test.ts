import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { float32 } from '../base/tensor.ts';
import { prepareAttack } from './registry.ts';
import type { SampleRecord } from './shell.ts';
import { examineGradients, examineVictim, suspicionsOf, type Observation } from './suspicions.ts';
import { openTeacher, testDigits, type Labelled } from './testing/teacher.ts';
import { quantised, runUnit, type AttackUnit, type UnitResult } from './unit.ts';
import { attackFigures, worstCase } from './verdicts.ts';
import { openVictim, type Victim } from './victim.ts';

let victim: Victim;
let digits: Labelled;

before(async () => {
  [victim, digits] = [await openTeacher(), await testDigits(40)];
});
after(() => victim.close());

const epsilons = [0.3, 0.1, 0.2];

async function results(unit: Partial<AttackUnit> = {}): Promise<UnitResult[]> {
  const attacks = [prepareAttack('fgsm'), prepareAttack('pgd', { steps: 10 })];
  const steps = runUnit({ victim, ...digits, attacks, norm: 'linf', epsilons, seed: 0, survivorsOnly: false, ...unit });
  const found: UnitResult[] = [];
  for await (const said of steps) if (said.type === 'result') found.push(said.result);
  return found;
}

const fallen = (all: readonly UnitResult[], epsilon: number): boolean[] =>
  worstCase(all, epsilon, all[0]?.records.length ?? 0).map((worst) => worst !== undefined);

describe('attacks on one piece of a set', () => {
  it('runs every attack at every epsilon, the smallest first', async () => {
    const all = await results();
    assert.deepEqual(
      all.map(({ attackId, epsilon }) => [attackId, epsilon]),
      [0.1, 0.2, 0.3].flatMap((epsilon) => [
        ['fgsm', epsilon],
        ['pgd', epsilon],
      ]),
    );
  });

  it('has a worst case that is no better than any attack and falls with epsilon', async () => {
    const all = await results();
    let smaller = Array.from(digits.indices, () => false);
    for (const epsilon of [0.1, 0.2, 0.3]) {
      const now = fallen(all, epsilon);
      for (const { records } of all.filter((result) => result.epsilon === epsilon)) {
        records.forEach(({ verdict }, i) => assert.ok(verdict !== 'fooled' || now[i]));
      }
      smaller.forEach((was, i) => assert.ok(!was || now[i]));
      smaller = now;
    }
    assert.ok(smaller.filter(Boolean).length > 30);
  });

  it('counts at an epsilon no change that an attack for the smallest perturbation makes outside its ball', async () => {
    const found = await results({ attacks: [prepareAttack('deepfool')], norm: 'l2', epsilons: [0.01, 50] });
    const [small, large] = found.map(({ records }) => attackFigures(records, 'l2'));
    assert.deepEqual([small?.robustAccuracy, small?.foolingRate], [1, 0]);
    assert.equal(large?.foolingRate, 1);
    assert.deepEqual(found[0]?.images, digits.images);
    assert.deepEqual(found[0]?.logits, await victim.logits(digits.images));
  });

  it('finds the same worst case when it attacks survivors only, with fewer gradients', async () => {
    const [all, spared] = [await results(), await results({ survivorsOnly: true })];
    for (const epsilon of [0.1, 0.2, 0.3]) assert.deepEqual(fallen(spared, epsilon), fallen(all, epsilon));
    const calls = (found: readonly UnitResult[]): number =>
      found.flatMap(({ records }) => records).reduce((sum, { gradientCalls }) => sum + gradientCalls, 0);
    assert.ok(calls(spared) < 0.8 * calls(all));
  });

  it('runs an attack for the smallest perturbation once, and judges it at each epsilon', async () => {
    const all = await results({ attacks: [prepareAttack('ddn', { steps: 30 })], norm: 'l2', epsilons: [1, 2] });
    assert.equal(all.length, 2);
    all[0]?.records.forEach(({ verdict, queries }, i) => {
      assert.equal(queries, all[1]?.records[i]?.queries);
      const imageAt = (k: number): unknown => all[k]?.images.slice(i * 784, (i + 1) * 784);
      if (verdict === 'fooled') assert.deepEqual(imageAt(0), imageAt(1));
    });
    for (const { epsilon, records } of all) {
      for (const { verdict, l2 } of records) if (verdict === 'fooled') assert.ok(l2 <= epsilon + 1e-6);
    }
    const share = all.map(({ records }) => attackFigures(records, 'l2').robustAccuracy);
    assert.ok(share[0]! > share[1]! && share[1]! < 0.3);
  });

  it('rounds adversarial images to 8 bits inside the ball, and asks the model again', async () => {
    const found = (await results()).find(({ attackId, epsilon }) => attackId === 'pgd' && epsilon === 0.2);
    assert.ok(found);
    const { images, logits } = await quantised(victim, found.images, digits.images, 0.2);
    images.forEach((value, i) => {
      assert.ok(Math.abs(value * 255 - Math.round(value * 255)) < 1e-4);
      assert.ok(Math.abs(value - digits.images[i]!) <= 0.2 + 1e-6);
    });
    assert.deepEqual(logits, await victim.logits(images));
  });
});

const record = (part: Partial<SampleRecord>): SampleRecord => ({
  linf: 0.1,
  l2: 1,
  l1: 1,
  l0: 1,
  index: 0,
  label: 0,
  target: null,
  predicted: 0,
  verdict: 'robust',
  reached: 0,
  firstSuccessStep: null,
  queries: 10,
  gradientCalls: 4,
  flags: [],
  ...part,
});

describe('the figures of an attack', () => {
  it('keep robust accuracy, success rate and fooling rate apart', () => {
    const figures = attackFigures(
      [
        record({}),
        record({ verdict: 'fooled', reached: 3, linf: 0.2 }),
        record({ verdict: 'skipped', queries: 0 }),
        record({ verdict: 'already-wrong', label: 1, queries: 0 }),
      ],
      'linf',
    );
    assert.equal(figures.cleanAccuracy, 3 / 4);
    assert.equal(figures.robustAccuracy, 1 / 4);
    assert.equal(figures.successRate, 2 / 3);
    assert.equal(figures.foolingRate, 2 / 4);
    assert.equal(figures.medianNorm, 0.2);
    assert.equal(figures.meanQueries, 10);
  });
});

describe('reasons to doubt an evaluation', () => {
  const seen = (part: Partial<Observation>): Observation => ({
    attackId: 'pgd',
    access: 'white-box',
    isControl: false,
    epsilon: 0.1,
    robustAccuracy: 0.5,
    records: [],
    ...part,
  });
  const kinds = (...all: Partial<Observation>[]): string[] => suspicionsOf(all.map(seen)).map(({ kind }) => kind);

  it('are none where gradients are worth what they should be', () => {
    assert.deepEqual(
      kinds(
        {},
        { epsilon: 0.2, robustAccuracy: 0.1 },
        { attackId: 'fgsm', robustAccuracy: 0.7 },
        { attackId: 'square', access: 'score', robustAccuracy: 0.501 },
        { attackId: 'noise', access: 'none', isControl: true, robustAccuracy: 0.98 },
      ),
      [],
    );
  });

  it('are attacks without gradients that do better than those with', () => {
    assert.deepEqual(kinds({}, { attackId: 'square', access: 'score', robustAccuracy: 0.49 }), ['black-box-stronger']);
    assert.deepEqual(kinds({}, { attackId: 'noise', access: 'none', isControl: true, robustAccuracy: 0.4 }), [
      'noise-stronger',
    ]);
  });

  it('are fewer steps or a smaller ball that do more harm', () => {
    assert.deepEqual(kinds({}, { attackId: 'fgsm', robustAccuracy: 0.4 }), ['more-steps-weaker']);
    assert.deepEqual(kinds({}, { epsilon: 0.2, robustAccuracy: 0.6 }), ['not-monotone']);
  });

  it('are gradients that are zero or no numbers', () => {
    assert.deepEqual(
      kinds({ records: [record({ flags: ['zero-gradient'] }), record({ index: 1, flags: ['nan-gradient'] })] }),
      ['zero-gradients', 'nan-gradients'],
    );
  });

  it('are outputs that change, that are probabilities, or that are saturated', async () => {
    const logits = (row: (call: number) => number[]): Victim => {
      let call = 0;
      return { ...victim, classes: 3, logits: async () => Float32Array.from([...row(call), ...row(call++)]) };
    };
    const said = async (row: (call: number) => number[]): Promise<string[]> =>
      (await examineVictim(logits(row), new Float32Array(2))).map(({ kind }) => kind);
    assert.deepEqual(await said(() => [3, 1, 0]), []);
    assert.deepEqual(await said((call) => [3, 1, call / 1000]), ['random-output']);
    assert.deepEqual(await said(() => [0.7, 0.2, 0.1]), ['probabilities']);
    assert.deepEqual(await said(() => [40, 1, 0]), ['saturated']);
  });

  it('are images that stand where every pixel may be anything', async () => {
    assert.deepEqual(await examineGradients(victim, digits.images, digits.labels, 0), []);
    // Logits so far apart that softmax is exactly 0 and 1: the gradient of the cross-entropy is zero.
    const { model } = victim;
    const scale = { name: 'scale', domain: '', op: 'Mul', inputs: [model.logitsName, 'factor'], outputs: ['scaled'] };
    const graph = {
      ...model.graph,
      nodes: [...model.graph.nodes, { ...scale, attributes: {} }],
      initializers: new Map([...model.graph.initializers, ['factor', float32([], Float32Array.of(1e5))]]),
      outputs: [{ name: 'scaled', dtype: 'float32' as const, shape: ['N', 10] }],
    };
    const masked = openVictim({ ...model, graph, logitsName: 'scaled' }, { session: { device: 'cpu', threads: 1 } });
    const [found, ...others] = await examineGradients(masked, digits.images, digits.labels, 0);
    await masked.close();
    assert.equal(others.length, 0);
    assert.equal(found?.kind, 'unbounded-fails');
    assert.match(found?.message ?? '', /^8 of 8 images stand against 20 steps of PGD/);
  });
});
