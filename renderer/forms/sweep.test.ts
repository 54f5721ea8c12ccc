import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { defineMethod, ui } from '../../core/methods/define.ts';
import { newDraft } from './form-model.ts';
import { mostRuns, readSweep, withVaried } from './sweep.ts';

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
  data: {},
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

const sweep = (vary: Record<string, string>) => readSweep(spec, { ...newDraft(spec), vary }, ['lenet5']);
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

  it('say which value is wrong, and that there are too many', () => {
    assert.match(sweep({ steps: '1, 0' }).problems['steps'] ?? '', /Expected a whole number above 0, got 0/);
    assert.match(sweep({ norm: '' }).problems['norm'] ?? '', /at least one/);
    const many = sweep({ seed: '0..99', steps: '1..10' });
    assert.match(many.problems['steps'] ?? '', new RegExp(`1,000 runs, expected at most ${mostRuns}`));
    assert.equal(many.requests.length, 1);
  });

  it('take the place of a value that is wrong', () => {
    const draft = { ...newDraft(spec), texts: { ...newDraft(spec).texts, steps: 'x' } };
    assert.ok('steps' in readSweep(spec, draft, []).problems);
    assert.deepEqual(readSweep(spec, withVaried(draft, 'steps', '3, 4'), []).problems, {});
    assert.deepEqual(withVaried(withVaried(draft, 'steps', '3'), 'steps', undefined).vary, {});
  });
});
