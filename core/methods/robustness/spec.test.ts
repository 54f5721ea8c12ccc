import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { attackCatalogue } from '../../attacks/catalogue.ts';
import { ensemble } from '../../attacks/ensembles.ts';
import { prepareAttack } from '../../attacks/registry.ts';
import type { ModelScale } from '../define.ts';
import { spec } from './spec.ts';

const net = { shape: [1, 28, 28], classes: 10, parameters: 60_000, activations: 10_000 } as const;

/** Amounts of the parts that gradients of the victim and of the model beside it, and universal perturbations, take. */
function amounts(params: object, models: Readonly<Record<string, ModelScale>> = { victim: net }) {
  const parsed = spec.params.parse(params);
  const all = (spec.work ?? []).map((part) => ('times' in part ? part : assert.fail()));
  const amountOf = (has: (part: (typeof all)[number]) => boolean): number | undefined =>
    all.find(has)?.amount?.value(parsed, models);
  const gradientsOf = (role: string) =>
    amountOf(({ times, costs: [cost] }) => times[0] === 'count' && cost?.model === role && cost.pass !== 'forward');
  return {
    backward: gradientsOf('victim'),
    forward: amountOf(({ costs: [cost] }) => cost?.pass === 'forward'),
    beside: gradientsOf('compared'),
    third: gradientsOf('compared7'),
    impressions: amountOf(({ amount }) => amount?.of.includes('universal') === true),
  };
}

/** Rows of the table of attacks. */
const attackLines = (): string[] =>
  attackCatalogue.map(({ id, title, access, norms, options }) => {
    const defaults = Object.entries(options.parse({})).map(([name, value]) => `\`${name}\` ${String(value)}`);
    return `| \`${id}\` | ${title} | ${access} | ${norms.join(', ')} | ${defaults.join(', ')} |`.replaceAll(/ +/g, ' ');
  });

describe('the declaration of the robustness audit', () => {
  it('has recipes that are valid and name attacks that exist', () => {
    const known = new Set(attackCatalogue.map(({ id }) => id));
    for (const [name, { params }] of Object.entries(spec.recipes)) {
      const parsed = spec.params.safeParse(params);
      assert.ok(parsed.success, name);
      for (const id of parsed.data.attacks) assert.ok(known.has(id), `${name}: ${id}`);
    }
  });

  it('has AutoAttack’s versions with the attacks, order and options that the engine knows them by', () => {
    for (const [recipe, name] of [
      ['autoattack', 'standard'],
      ['autoattack-plus', 'plus'],
    ] as const) {
      const params = spec.params.parse(spec.recipes[recipe]?.params);
      assert.ok(params.survivorsOnly);
      assert.deepEqual(
        params.attacks.map((id) => prepareAttack(id, params.attackOptions[id] ?? {}).options),
        ensemble(name, 'linf', 10).attacks.map(({ options }) => options),
      );
    }
  });

  it('names every attack with its norms and the defaults of its options on the page of the method', () => {
    const page = readFileSync(new URL('../../../docs/methods/robustness.md', import.meta.url), 'utf8').replaceAll(
      / +/g,
      ' ',
    );
    for (const line of attackLines()) assert.ok(page.includes(line), line);
  });

  it('counts the passes of attacks with their options at each epsilon, and impressions only where they are made', () => {
    const pgd = (steps: number, epsilons: number[]) =>
      amounts({ attacks: ['pgd'], attackOptions: { pgd: { steps } }, epsilons });
    const { backward = 0, impressions } = pgd(10, [0.1]);
    assert.ok(backward > 0);
    assert.equal(pgd(20, [0.1]).backward, 2 * backward);
    assert.equal(pgd(10, [0.1, 0.2, 0.3]).backward, 3 * backward);
    assert.equal(impressions, 0);
    assert.ok((amounts({ universal: ['impressions'] }).impressions ?? 0) > 0);
  });

  it('counts more for more classes, and other models only where there are some', () => {
    const attacks = { attacks: ['apgd-t'] };
    const many = { victim: { ...net, classes: 4 } };
    assert.equal(amounts(attacks, many).backward, (amounts(attacks).backward ?? 0) / 3);
    assert.equal(amounts(attacks).beside, 0);
    const two = amounts(attacks, { victim: net, compared: net });
    assert.equal(two.beside, two.backward);
    assert.equal(two.third, 0);
    assert.equal(amounts(attacks, { victim: net, compared7: net }).third, two.backward);
  });

  it('counts PGD beside the suite, with other numbers of steps and towards chosen classes, only with severity', () => {
    const extra = (params: object): number =>
      (spec.work ?? []).reduce((sum, part) => {
        const isBeside = 'times' in part && part.amount?.of.includes('stepCounts');
        return isBeside ? sum + (part.amount?.value(spec.params.parse(params), { victim: net }) ?? 0) : sum;
      }, 0);
    assert.equal(extra({}), 0);
    assert.equal(extra({ stepCounts: [5, 10], epsilons: [0.1] }), 15);
    assert.equal(extra({ stepCounts: [5, 10] }), 30);
    assert.ok(extra({ severityBounds: true }) > 0);
    assert.equal(extra({ stepCounts: [5], severityBounds: true, severity: false }), 0);
  });

  it('guesses less when attacks see survivors only', () => {
    assert.ok((amounts({ survivorsOnly: true }).backward ?? 0) < (amounts({}).backward ?? 0));
  });

  it('foresees lanes, memory and files that grow with the images', () => {
    const footprint = (params: object) =>
      spec.footprint?.({
        params: spec.params.parse(params),
        threads: 2,
        models: { victim: net },
        data: { images: 5000 },
      }) ?? assert.fail();
    assert.equal(footprint({}).lanes, 2);
    assert.equal(footprint({ lanes: 5, count: 16 }).lanes, 2);
    assert.ok(footprint({ count: 2000, exported: 2000 }).writtenBytes > footprint({}).writtenBytes);
    assert.ok(footprint({ count: 2000 }).keptBytes > footprint({}).keptBytes);
  });
});
