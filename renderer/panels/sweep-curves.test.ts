import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { axesOf, metricsOf, sweepCurves } from './sweep-curves.ts';

const run = (params: Record<string, unknown>, accuracy: number | null) => ({
  params: { steps: 10, ...params },
  models: { victim: 'a.onnx' },
  metrics: { accuracy, late: null },
});
const rows = [
  run({ seed: 0, epsilon: 0.2, norm: 'l2' }, 0.4),
  run({ seed: 0, epsilon: 0.1, norm: 'l2' }, 0.8),
  run({ seed: 1, epsilon: 0.1, norm: 'l2' }, 0.6),
  run({ seed: 0, epsilon: 0.1, norm: 'linf' }, 0.5),
  run({ seed: 0, epsilon: 0.3, norm: 'linf' }, null),
];

const epsilon = { field: 'params.epsilon', name: 'epsilon', kind: 'params' } as const;

describe('a figure over what was varied', () => {
  it('can be drawn over every parameter with numbers, the seed last', () => {
    assert.deepEqual(
      axesOf(rows).map(({ field }) => field),
      ['params.epsilon', 'params.seed'],
    );
    assert.deepEqual(metricsOf(rows), ['accuracy']);
    assert.deepEqual([axesOf([]), metricsOf(rows.slice(0, 1))], [[], []]);
  });

  it('has a line for each combination of the rest, averaged over seeds, in order', () => {
    assert.deepEqual(sweepCurves(rows, epsilon, 'accuracy'), [
      {
        label: 'norm l2',
        points: [
          [0.1, 0.7],
          [0.2, 0.4],
        ],
      },
      { label: 'norm linf', points: [[0.1, 0.5]] },
    ]);
  });

  it('is one line under the name of the figure when nothing else was varied', () => {
    const [curve] = sweepCurves(rows.slice(0, 2), epsilon, 'accuracy');
    assert.equal(curve?.label, 'accuracy');
  });

  it('can be drawn over how many items of the data are used', () => {
    const used = [10, 100].map((limit) => ({ ...run({}, limit / 200), data: { test: 'x' }, limits: { test: limit } }));
    const [axis] = axesOf(used);
    assert.ok(axis);
    assert.deepEqual(sweepCurves(used, axis, 'accuracy')[0]?.points, [
      [10, 0.05],
      [100, 0.5],
    ]);
  });
});
