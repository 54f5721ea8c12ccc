import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { sizeOf } from '../base/tensor.ts';
import { openModel } from '../train/models.ts';
import type { Norm } from './catalogue-kinds.ts';
import { attackCatalogue } from './catalogue.ts';
import { topClass } from '../metrics/classification.ts';
import { prepareAttack } from './registry.ts';
import { runUnit, type AttackUnit, type UnitResult } from './unit.ts';
import { worstCase } from './verdicts.ts';
import { openVictim } from './victim.ts';

const boxes = [
  [0, 1],
  [-1, 1],
  [-2.5, 0.5],
  // Where float32 has steps of 1.5e-5, and no epsilon is a whole number of them.
  [0, 255],
] as const;
const shapes = [
  [1, 6, 7],
  [3, 5, 5],
] as const;

/** Short runs of every kind of search, by norm. */
const searches: Readonly<Partial<Record<Norm, readonly (readonly [string, object])[]>>> = {
  linf: [
    ['fgsm', {}],
    ['rfgsm', {}],
    ['bim', { steps: 4 }],
    ['pgd', { steps: 6, restarts: 2 }],
    ['ni-fgsm', { steps: 3 }],
    ['di-fgsm', { steps: 3 }],
    ['ti-fgsm', { steps: 3, kernelSize: 3 }],
    ['si-fgsm', { steps: 3, scales: 2 }],
    ['fab', { steps: 3 }],
    ['simba', { queries: 30 }],
    ['hop-skip-jump', { iterations: 1, firstLooks: 20 }],
    ['mi-fgsm', { steps: 4 }],
    ['apgd-ce', { steps: 8 }],
    ['apgd-dlr', { steps: 8 }],
    ['apgd-t', { steps: 4 }],
    ['fab-t', { steps: 4, restarts: 2 }],
    ['square', { queries: 15 }],
    ['fmn', { steps: 15 }],
    ['deepfool', {}],
    ['transfer', { method: 'pgd', steps: 3 }],
    ['noise', { draws: 2 }],
  ],
  l2: [
    ['fgsm', {}],
    ['bim', { steps: 4 }],
    ['pgd', { steps: 6 }],
    ['apgd-ce', { steps: 8, restarts: 2 }],
    ['apgd-dlr', { steps: 8 }],
    ['apgd-t', { steps: 4 }],
    ['fab', { steps: 3, restarts: 2 }],
    ['fab-t', { steps: 4 }],
    ['deepfool', { steps: 5 }],
    ['ead', { rounds: 2, steps: 15 }],
    ['fmn', { steps: 15 }],
    ['noise', { draws: 2 }],
    ['square', { queries: 15 }],
    ['simba', { queries: 30 }],
    ['carlini-wagner', { rounds: 2, steps: 15 }],
    ['ddn', { steps: 15 }],
    ['boundary', { steps: 15 }],
    ['hop-skip-jump', { iterations: 1, firstLooks: 20 }],
  ],
  l1: [
    ['pgd-l1', { steps: 6 }],
    ['apgd-l1', { steps: 10, restarts: 2 }],
    ['fab', { steps: 3 }],
    ['fab-t', { steps: 4 }],
    ['ead', { rounds: 2, steps: 15 }],
    ['fmn', { steps: 15 }],
    ['noise', { draws: 2 }],
  ],
  l0: [['jsma', {}]],
};
const norms = ['linf', 'l2', 'l1', 'l0'] as const;
const radii: Readonly<Record<Norm, readonly number[]>> = {
  linf: [0.02, 0.08],
  l2: [0.1, 0.5],
  l1: [0.4, 2],
  l0: [2, 9],
};

async function resultsOf(unit: AttackUnit): Promise<UnitResult[]> {
  const results: UnitResult[] = [];
  for await (const said of runUnit(unit)) if (said.type === 'result') results.push(said.result);
  return results;
}

const fallenAt = (results: readonly UnitResult[], epsilons: readonly number[]): boolean[][] =>
  epsilons.map((epsilon) =>
    worstCase(results, epsilon, results[0]?.records.length ?? 0).map((worst) => worst !== undefined),
  );

/** A minimal attack runs once for all epsilons: of those its first result counts. */
const queriesOf = (results: readonly UnitResult[]): number =>
  results
    .flatMap(({ epsilon, records }) => (epsilon === results[0]?.epsilon ? records : []))
    .reduce((sum, { queries }) => sum + queries, 0);

describe('attacks on networks with random weights, of random images', () => {
  it('are all that there are, in every norm that they know', () => {
    const tried = norms.flatMap((norm) => (searches[norm] ?? []).map(([id]) => `${id} ${norm}`));
    const known = attackCatalogue.flatMap(({ id, norms: own }) => own.map((norm) => `${id} ${norm}`));
    assert.deepEqual(tried.toSorted(), known.toSorted());
  });

  for (const [trial, [low, high]] of boxes.entries()) {
    for (const norm of norms) {
      it(`stay in the ${norm} ball and in [${low}, ${high}], fall with epsilon, and are what the model says`, async () => {
        const shape = shapes[trial % shapes.length] ?? shapes[0];
        const model = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', {
          shape,
          classes: 5,
          seed: trial,
        });
        const other = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'source', { shape, classes: 5, seed: 9 });
        const [victim, source] = [model, other].map((each) =>
          openVictim(each, { session: { device: 'cpu', threads: 1 }, bounds: [low, high] }),
        );
        assert.ok(victim && source);
        const count = 12;
        const images = new Float32Array(count * sizeOf(shape));
        fillUniform(stream(trial, 'images'), images, low, high);
        const logits = await victim.logits(images);
        const labels = Int32Array.from({ length: count }, (_, i) => topClass(logits, i, 5));
        const epsilons = radii[norm].map((radius) => (norm === 'l0' ? radius : radius * (high - low)));
        const unit = {
          victim,
          images,
          labels,
          indices: Int32Array.from(labels.keys()),
          attacks: (searches[norm] ?? []).map(([id, options]) => prepareAttack(id, options)),
          norm,
          epsilons,
          seed: trial,
          sources: [source],
          survivorsOnly: false,
        };
        const results = await resultsOf(unit);
        assert.equal(results.length, epsilons.length * unit.attacks.length);
        for (const { records, images: adversarial, logits: shown, epsilon, attackId } of results) {
          assert.deepEqual(shown, await victim.logits(adversarial), attackId);
          assert.ok(adversarial.every((value) => value >= low && value <= high));
          const isBounded = attackCatalogue.find(({ id }) => id === attackId)?.aim === 'bounded';
          for (const [i, record] of records.entries()) {
            const isFooled = record.verdict === 'fooled';
            if (isFooled || isBounded) assert.ok(record[norm] <= epsilon + 1e-6, `${attackId}: ${record[norm]}`);
            if (isFooled) assert.notEqual(topClass(shown, i, 5), labels[i]);
          }
        }
        const fallen = fallenAt(results, epsilons);
        fallen[0]?.forEach((was, i) => assert.ok(!was || fallen[1]?.[i]));
        assert.ok(fallen[1]?.some(Boolean), 'something falls');
        for (const { records, epsilon, isControl, attackId } of results) {
          const worst = fallen[epsilons.indexOf(epsilon)];
          const isLeftOut = records.some(({ verdict }, i) => verdict === 'fooled' && !worst?.[i]);
          assert.ok(isControl || !isLeftOut, `${attackId} fools what the worst case leaves standing`);
        }
        // Images that have fallen stop early, and no verdict of the worst case changes.
        const spared = await resultsOf({ ...unit, survivorsOnly: true });
        assert.deepEqual(fallenAt(spared, epsilons), fallen);
        assert.ok(unit.attacks.length === 1 || queriesOf(spared) < queriesOf(results));
        await victim.close();
        await source.close();
      });
    }
  }
});
