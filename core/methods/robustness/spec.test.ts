import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attackCatalogue } from '../../attacks/catalogue.ts';
import { spec } from './spec.ts';

const amounts = (params: object): number[] => {
  const parsed = spec.params.parse(params);
  return (spec.work ?? []).flatMap((part) => ('times' in part && part.amount ? part.amount.value(parsed) : []));
};

describe('the declaration of the robustness audit', () => {
  it('has recipes that are valid and name attacks that exist', () => {
    const known = new Set(attackCatalogue.map(({ id }) => id));
    for (const [name, { params }] of Object.entries(spec.recipes)) {
      const parsed = spec.params.safeParse(params);
      assert.ok(parsed.success, name);
      for (const id of parsed.data.attacks) assert.ok(known.has(id), `${name}: ${id}`);
    }
  });

  it('counts the passes of attacks with their options at each epsilon, and impressions only where they are made', () => {
    const pgd = (steps: number, epsilons: number[]) =>
      amounts({ attacks: ['pgd'], attackOptions: { pgd: { steps } }, epsilons });
    const [backward = 0, , impressions] = pgd(10, [0.1]);
    assert.ok(backward > 0);
    assert.equal(pgd(20, [0.1])[0], 2 * backward);
    assert.equal(pgd(10, [0.1, 0.2, 0.3])[0], 3 * backward);
    assert.equal(impressions, 0);
    assert.ok((amounts({ universal: ['impressions'] })[2] ?? 0) > 0);
  });

  it('guesses less when attacks see survivors only', () => {
    const [all = 0] = amounts({});
    assert.ok((amounts({ survivorsOnly: true })[0] ?? 0) < all);
  });
});
