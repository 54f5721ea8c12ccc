import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { ui } from '../define.ts';
import { paramFields } from '../parameters.ts';
import { spec } from './spec.ts';

describe('the declaration of data impressions', () => {
  const defaults = spec.params.parse({});

  it('has a valid default for every parameter', () => {
    assert.deepEqual(Object.keys(defaults), Object.keys(spec.params.shape));
    assert.deepEqual(spec.params.parse(defaults), defaults);
    assert.deepEqual(spec.params.parse(JSON.parse(JSON.stringify(defaults))), defaults);
  });

  it('has recipes that are valid and change what they say', () => {
    assert.deepEqual(Object.keys(spec.recipes), ['quick', 'standard', 'paper']);
    for (const [name, recipe] of Object.entries(spec.recipes)) {
      const params = spec.params.parse(recipe.params);
      for (const [key, value] of Object.entries(recipe.params)) {
        assert.deepEqual(z.record(z.string(), z.unknown()).parse(params)[key], value, `${name}.${key}`);
      }
    }
  });

  it('has a recipe of the paper without what the paper does not have', () => {
    const paper = spec.params.parse(spec.recipes['paper']?.params);
    assert.deepEqual(
      [paper.count, paper.synthesisBatchSize, paper.temperature, paper.distillTemperature],
      [24_000, 100, 20, 20],
    );
    assert.deepEqual([paper.augmentBrightness, paper.augmentOverlay], [1, 0]);
    assert.deepEqual([paper.totalVariation, paper.sparsity, paper.batchNormPrior, paper.warmStart], [0, 0, 0, false]);
    assert.deepEqual([paper.viewRotation, paper.viewScaleLow, paper.viewScaleHigh, paper.viewShift], [0, 1, 1, 0]);
    assert.deepEqual([paper.targets, paper.scales, paper.scaleMode], ['dirichlet', [1, 0.1], 'paper']);
  });

  it('has a title for every parameter, and a unit where it is a number', () => {
    for (const { name, shape, ui: shown } of paramFields(spec)) {
      assert.ok(shown.title.length > 3, name);
      if (shape.kind === 'number') assert.ok(shown.unit, `${name} has no unit`);
    }
    assert.equal(new Set(paramFields(spec).map((field) => field.ui.title)).size, Object.keys(defaults).length);
    assert.ok(Object.values(spec.params.shape).every((schema) => ui.has(schema)));
  });

  it('refuses values that cannot be run', () => {
    const bad: Record<string, unknown>[] = [
      { count: 0 },
      { count: 10.5 },
      { steps: 0 },
      { temperature: 0 },
      { temperature: Number.NaN },
      { synthesisLearningRate: Number.POSITIVE_INFINITY },
      { scales: [] },
      { scales: [0] },
      { viewScaleLow: 1.2 },
      { viewScaleHigh: 0.9 },
      { initialScale: 0 },
      { pixels: 'wrap' },
      { seed: -1 },
      { unknown: 1 },
    ];
    for (const params of bad) assert.ok(!spec.params.safeParse(params).success, JSON.stringify(params));
  });

  it('shows metrics that it declares, each with a direction and what it was measured on', () => {
    for (const name of spec.columns) assert.ok(name in spec.metrics, name);
    for (const [name, metric] of Object.entries(spec.metrics)) assert.ok(metric.better && metric.help, name);
  });
});
