import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { alignTaxonomy, semanticDistances, taxonomyFromCsv, taxonomyFromJson, type Taxonomy } from './taxonomy.ts';

const bundled = (name: string): Taxonomy | null =>
  taxonomyFromJson(
    JSON.parse(readFileSync(new URL(`../../../assets/taxonomies/${name}.json`, import.meta.url), 'utf8')),
    name,
  );

function needed(taxonomy: Taxonomy | null): Taxonomy {
  assert.ok(taxonomy);
  return taxonomy;
}

function between(taxonomy: Taxonomy, measure: 'wuPalmer' | 'path' | 'height') {
  const values = semanticDistances(taxonomy)[measure];
  const at = (name: string): number => taxonomy.classes.indexOf(name);
  return (a: string, b: string): number => Number(values[at(a) * taxonomy.classes.length + at(b)]!.toFixed(4));
}

const diamond = 'child,parent\nbird,animal\npet,animal\ndog,pet\nparrot,bird\nparrot,pet\nanimal,thing\nstone,thing\n';

describe('a taxonomy', () => {
  it('gives the distances that the specification works out for CIFAR-10 and Fashion-MNIST', () => {
    const cifar = between(needed(bundled('cifar-10')), 'wuPalmer');
    assert.deepEqual(
      [cifar('cat', 'dog'), cifar('cat', 'frog'), cifar('cat', 'truck'), cifar('truck', 'truck')],
      [0.25, 0.4286, 0.75, 0],
    );
    const fashion = between(needed(bundled('fashion-mnist')), 'wuPalmer');
    assert.deepEqual(
      [fashion('Shirt', 'Coat'), fashion('Shirt', 'Dress'), fashion('Shirt', 'Bag'), fashion('Shirt', 'Sneaker')],
      [0.25, 0.4286, 0.6667, 0.7143],
    );
  });

  it('counts edges on the shortest way and the height of the common ancestor', () => {
    const cifar = needed(bundled('cifar-10'));
    // cat – mammal – dog: 2 edges; cat – mammal – animal – thing – vehicle – land – truck: 6.
    assert.equal(between(cifar, 'path')('cat', 'dog'), 0.6667);
    assert.equal(between(cifar, 'path')('cat', 'truck'), 0.8571);
    assert.equal(between(cifar, 'height')('cat', 'dog'), 1);
    assert.equal(between(cifar, 'height')('cat', 'frog'), 2);
    assert.equal(between(cifar, 'height')('cat', 'truck'), 3);
  });

  it('takes the nearest of several parents', () => {
    const taxonomy = taxonomyFromCsv(diamond, 'diamond.csv');
    assert.deepEqual(taxonomy.classes, ['dog', 'parrot', 'stone']);
    // Through pet, depth 3: 1 − 2·3 / (4 + 4).
    assert.equal(between(taxonomy, 'wuPalmer')('dog', 'parrot'), 0.25);
    assert.equal(between(taxonomy, 'path')('dog', 'parrot'), 0.6667);
  });

  it('of MNIST says that there is no semantics, and of CIFAR-100 has a hundred classes in twenty groups', () => {
    assert.equal(bundled('mnist'), null);
    const cifar100 = needed(bundled('cifar-100'));
    assert.equal(cifar100.classes.length, 100);
    const groups = new Map<string, number>();
    for (const name of cifar100.classes) {
      const [group = ''] = cifar100.parents.get(name) ?? [];
      groups.set(group, (groups.get(group) ?? 0) + 1);
    }
    assert.deepEqual([...groups.values()], Array(20).fill(5));
  });

  it('follows the names of the model’s classes in any order and spelling, and the file’s order when they are numbers', () => {
    const cifar = needed(bundled('cifar-10'));
    const names = cifar.classes.map((name) => name.toUpperCase()).reverse();
    const aligned = alignTaxonomy(cifar, names);
    assert.deepEqual(aligned.classes, cifar.classes.toReversed());
    const [straight, reversed] = [semanticDistances(cifar).wuPalmer, semanticDistances(aligned).wuPalmer];
    assert.deepEqual(straight, reversed.toReversed());
    assert.deepEqual(
      alignTaxonomy(
        cifar,
        cifar.classes.map((_, i) => String(i)),
      ).classes,
      cifar.classes,
    );
  });

  it('names the classes that it lacks and those that the model does not have', () => {
    const cifar = needed(bundled('cifar-10'));
    const names = cifar.classes.map((name) => (name === 'frog' ? 'toad' : name));
    assert.throws(() => alignTaxonomy(cifar, names), {
      code: 'PARAM_INVALID',
      message: /10 classes: it lacks toad; the model does not have frog/,
    });
    assert.throws(() => alignTaxonomy(cifar, ['0', '1']), { code: 'PARAM_INVALID', message: /it lacks 0, 1/ });
  });

  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['is not an object', [1], /expected an object/],
    ['has no list of classes', { tree: 'a' }, /"classes"/],
    ['has a node without a name', { classes: ['a'], tree: { children: ['a'] } }, /expected a node .* got \{"children"/],
    ['lists a class twice', { classes: ['a', 'a'], tree: { name: 'r', children: ['a'] } }, /"a" is listed twice/],
    ['lists a class outside the tree', { classes: ['b'], tree: { name: 'r', children: ['a'] } }, /"b" is not in/],
    ['has a child twice', { classes: ['a'], tree: { name: 'r', children: ['a', 'a'] } }, /"a" stands twice/],
  ];
  for (const [what, json, message] of bad) {
    it(`is refused when it ${what}`, () => {
      assert.throws(() => taxonomyFromJson(json, 'mine.json'), { code: 'PARAM_INVALID', message });
    });
  }

  it('is refused as CSV with two roots, a circle or a line that is no edge', () => {
    assert.throws(() => taxonomyFromCsv('a,b\nc,d\n', 'x.csv'), { message: /one root, got b, d/ });
    assert.throws(() => taxonomyFromCsv('a,b\nb,a\na,r\n', 'x.csv'), { message: /its own ancestor/ });
    assert.throws(() => taxonomyFromCsv('a;b\n', 'x.csv'), { message: /got "a;b"/ });
  });
});
