import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { defineMethod, ui } from '../../core/methods/define.ts';
import { newDraft, type Draft } from './form-model.ts';
import { mostRuns } from '../../core/methods/sweep-values.ts';
import { readSweep, withVaried } from './sweep.ts';

const spec = defineMethod({
  id: 'toy',
  version: 1,
  title: 'Toy',
  summary: '',
  papers: [],
  purpose: '',
  models: {
    victim: { title: 'Victim', help: '', output: 'logits', gradients: 1, default: 'bundled:a', zoo: true },
  },
  data: {
    test: { title: 'Test', help: '', labels: 'required', split: 'test' },
    extra: { title: 'Extra', help: '', labels: 'optional', optional: true },
  },
  params: z.strictObject({
    steps: z.int().positive().default(10).register(ui, { title: 'Steps' }),
    epsilons: z.array(z.number().positive()).default([0.1]).register(ui, { title: 'Epsilons' }),
    norm: z.enum(['linf', 'l2']).default('linf').register(ui, { title: 'Norm' }),
    clip: z.boolean().default(true).register(ui, { title: 'Clip' }),
    seed: z.int().min(0).default(0).register(ui, { title: 'Seed' }),
  }),
  recipes: {},
  metrics: {},
  columns: [],
});

const filled = (): Draft => ({
  ...newDraft(spec),
  data: { ...newDraft(spec).data, test: { path: '/digits', split: 'test', format: 'auto', limit: '' } },
});
const sweep = (vary: Record<string, string>) => readSweep(spec, { ...filled(), vary }, ['lenet5']);
const valuesOf = (name: string, vary: Record<string, string>): unknown[] =>
  sweep(vary).requests.map(({ params }) => params[name]);

describe('several values in one form', () => {
  it('are one run when nothing is varied', () => {
    const { requests, problems } = sweep({});
    assert.deepEqual([requests.length, problems], [1, {}]);
  });

  it('are read by commas, semicolons, lines and ranges of whole numbers, each once', () => {
    assert.deepEqual(valuesOf('seed', { seed: '0..3, 7; 2' }), [0, 1, 2, 3, 7]);
    assert.deepEqual(valuesOf('norm', { norm: 'linf\nl2' }), ['linf', 'l2']);
    assert.deepEqual(valuesOf('clip', { clip: 'true, false' }), [true, false]);
  });

  it('keep the commas of a list', () => {
    assert.deepEqual(valuesOf('epsilons', { epsilons: '0.1, 0.2; 0.3' }), [[0.1, 0.2], [0.3]]);
  });

  it('make a run for every combination, models included', () => {
    const { requests } = sweep({ seed: '1..2', norm: 'linf, l2', 'models.victim': 'bundled:a\nlenet5\n' });
    assert.equal(requests.length, 8);
    const shown = requests.map(({ params, models }) =>
      JSON.stringify([params['seed'], params['norm'], models['victim']]),
    );
    assert.equal(new Set(shown).size, 8);
    assert.deepEqual(requests[1]?.models['victim'], { kind: 'zoo', architecture: 'lenet5' });
  });

  it('are data sets and numbers of their items, each as the fields beside them say', () => {
    const { requests } = sweep({ 'data.test': '/a, b\n/c', 'data.test.limit': '100, 1000' });
    assert.deepEqual(
      requests.map(({ data }) => data['test']),
      ['/a, b', '/c'].flatMap((path) => [100, 1000].map((limit) => ({ path, split: 'test', format: 'auto', limit }))),
    );
    const before = { ...filled(), vary: { 'data.test.limit': '5', 'data.test': '/a' } };
    assert.deepEqual(readSweep(spec, before, []).requests[0]?.data['test'], {
      path: '/a',
      split: 'test',
      format: 'auto',
      limit: 5,
    });
    assert.match(sweep({ 'data.test': ' ' }).problems['data.test'] ?? '', /at least one data set/);
    assert.match(sweep({ 'data.test.limit': '5, x' }).problems['data.test.limit'] ?? '', /got "x"/);
    assert.match(sweep({ 'data.extra.limit': '5' }).problems['data.extra.limit'] ?? '', /Choose the data/);
  });

  it('are sizes that a model leaves open', () => {
    const { requests } = sweep({ 'models.victim.dims': 'height=32, width=32; height=64, width=64' });
    assert.deepEqual(
      requests.map(({ models }) => models['victim']),
      [32, 64].map((size) => ({ kind: 'file', path: 'bundled:a', dims: { height: size, width: size } })),
    );
    assert.match(sweep({ 'models.victim.dims': 'height' }).problems['models.victim.dims'] ?? '', /NAME=SIZE/);
  });

  it('say which value is wrong, and that there are too many', () => {
    assert.match(sweep({ steps: '1, 0' }).problems['steps'] ?? '', /Expected a whole number above 0, got 0/);
    assert.match(sweep({ norm: '' }).problems['norm'] ?? '', /at least one/);
    const many = sweep({ seed: '0..99', steps: '1..10' });
    assert.match(many.problems['steps'] ?? '', new RegExp(`1,000 runs, expected at most ${mostRuns}`));
    assert.equal(many.requests.length, 1);
  });

  it('take the place of a value that is wrong', () => {
    const draft = { ...filled(), texts: { ...newDraft(spec).texts, steps: 'x' } };
    assert.ok('steps' in readSweep(spec, draft, []).problems);
    assert.deepEqual(readSweep(spec, withVaried(draft, 'steps', '3, 4'), []).problems, {});
    assert.deepEqual(withVaried(withVaried(draft, 'steps', '3'), 'steps', undefined).vary, {});
  });
});
