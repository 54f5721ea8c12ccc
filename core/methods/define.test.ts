import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import { catalogue, findMethod } from './catalogue.ts';
import { defineMethod, rolesOf, ui, type MethodSpec } from './define.ts';
import { method, registry } from './registry.ts';
import { plainContext } from './testing/drive.ts';

const base = {
  id: 'toy',
  version: 1,
  title: 'Toy',
  summary: 'A toy.',
  papers: [],
  purpose: 'For tests.',
  models: {},
  data: {},
  recipes: {},
  metrics: { loss: { title: 'Loss', unit: 'nat' } },
  columns: ['loss'],
} as const;
const steps = () => z.int().positive().default(3).register(ui, { title: 'Steps' });

describe('a declaration', () => {
  it('is returned as it is when it is sound', () => {
    const spec = defineMethod({ ...base, params: z.strictObject({ steps: steps() }) });
    assert.deepEqual(spec.params.parse({}), { steps: 3 });
  });

  it('has a role for each file where a model may be several, the later ones optional', () => {
    const need = { title: 'Rival', help: 'Beside.', output: 'logits', gradients: 1, several: 3 } as const;
    const spec = defineMethod({ ...base, models: { rival: need }, params: z.strictObject({}) });
    assert.deepEqual(
      Object.entries(spec.models).map(([role, { title, optional, entryOf }]) => [role, title, optional, entryOf]),
      [
        ['rival', 'Rival', undefined, undefined],
        ['rival2', 'Rival 2', true, 'rival'],
        ['rival3', 'Rival 3', true, 'rival'],
      ],
    );
    assert.deepEqual(rolesOf(spec, 'rival'), ['rival', 'rival2', 'rival3']);
  });

  it('is refused with a column that is no metric, or a parameter that no form can show', () => {
    assert.throws(
      () => defineMethod({ ...base, columns: ['accuracy'], params: z.strictObject({}) }),
      /Method toy: column "accuracy" is not one of its metrics/,
    );
    assert.throws(
      () => defineMethod({ ...base, params: z.strictObject({ steps: steps().optional() }) }),
      /Method toy: parameter "steps" has no ui entry/,
    );
  });
});

describe('the catalogue', () => {
  it('has every method once, with an implementation for each and no implementation without', () => {
    const ids = catalogue.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(Object.keys(registry).toSorted(), ids.toSorted());
    for (const [id, entry] of Object.entries(registry)) assert.equal(entry.spec, findMethod(id));
  });

  for (const spec of catalogue) {
    it(`holds ${spec.id}, whose defaults and recipes are valid and whose names fit a command line`, () => {
      assert.match(spec.id, /^[a-z][a-z0-9-]*$/);
      assert.ok(spec.version >= 1 && spec.title && spec.summary && spec.purpose);
      const required = Object.entries(spec.params.shape).filter(
        ([, schema]) => !z.instanceof(z.ZodType).parse(schema).safeParse(undefined).success,
      );
      assert.deepEqual(required, []);
      for (const recipe of Object.values(spec.recipes))
        assert.ok(spec.params.safeParse(recipe.params).success, recipe.title);
      for (const name of Object.keys(spec.params.shape)) assert.match(name, /^[a-z][A-Za-z0-9]*$/);
    });
  }

  it('names the methods that there are when one is unknown', () => {
    assert.throws(
      () => findMethod('zskd'),
      (error) =>
        error instanceof WorkbenchError &&
        error.code === 'METHOD_UNKNOWN' &&
        /"zskd"/.test(error.message) &&
        /data-impressions/.test(error.hint ?? ''),
    );
    assert.throws(
      () => findMethod('toy', []),
      (error) => error instanceof WorkbenchError && error.hint === 'Methods: none.',
    );
  });
});

describe('an implementation', () => {
  const spec = defineMethod({
    ...base,
    params: z.strictObject({ steps: steps(), rate: z.number().max(1).default(0.5).register(ui, { title: 'Rate' }) }),
  });
  const loaded: string[] = [];
  const toy = method(spec, async () => {
    loaded.push('run');
    return {
      async *run({ params }) {
        yield { type: 'metric', name: 'loss', step: 0, value: params.rate };
        return { loss: params.steps };
      },
    };
  });
  const context = { ...plainContext(), models: {}, data: {} };

  it('is not loaded for parameters that are wrong, and all of them are named', async () => {
    await assert.rejects(
      toy.start({ steps: 0, rate: 7, colour: 'red' }, context),
      (error) =>
        error instanceof WorkbenchError &&
        error.code === 'PARAM_INVALID' &&
        /of toy/.test(error.message) &&
        ['steps:', 'rate:', 'colour'].every((part) => error.message.includes(part)) &&
        /run toy --help/.test(error.hint ?? ''),
    );
    await assert.rejects(toy.start('fast', context), /params: /);
    assert.deepEqual(loaded, []);
  });

  it('gets its parameters with the defaults filled in', async () => {
    const running = await toy.start({ steps: 9 }, context);
    assert.deepEqual(loaded, ['run']);
    assert.deepEqual((await running.next()).value, { type: 'metric', name: 'loss', step: 0, value: 0.5 });
    assert.deepEqual(await running.next(), { done: true, value: { loss: 9 } });
  });

  it('may stand in a list with others', () => {
    const list: readonly MethodSpec[] = [spec, ...catalogue];
    assert.equal(findMethod('toy', list).id, 'toy');
  });
});
