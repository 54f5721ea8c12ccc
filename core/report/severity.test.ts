import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { recordFlips } from '../metrics/severity/flips.ts';
import { drawResamples } from '../metrics/severity/resampling.ts';
import {
  cleanMistakes,
  rankAgreements,
  severityDifferences,
  summariseAttacks,
  type AttackOutcome,
} from '../metrics/severity/summary.ts';
import { SeverityData } from './severity.ts';
import { severityBlocks } from './severity-blocks.ts';

const classes = 4;
const count = 40;
const classNames = ['cat', 'dog', 'car', 'truck'];
// Two pairs of neighbours: near 0.2, far 1.
const values = Float64Array.from({ length: classes * classes }, (_, at) => {
  const [a, b] = [Math.floor(at / classes), at % classes];
  return a === b ? 0 : a >> 1 === b >> 1 ? 0.2 : 1;
});
const measures = [{ name: 'wup', title: 'Wu–Palmer', values }];
const labels = Int32Array.from({ length: count }, (_, i) => i % classes);

/** Logits for the answers given, with the runner-up next to it. */
const logits = (answers: ArrayLike<number>): Float32Array =>
  Float32Array.from({ length: count * classes }, (_, at) => {
    const [i, k] = [Math.floor(at / classes), at % classes];
    return k === answers[i] ? 3 : k === (answers[i]! + 1) % classes ? 2 : 0;
  });
const clean = labels.map((label, i) => (i === 3 ? 0 : label));

function outcome(
  attack: string,
  after: (label: number, i: number) => number,
  more: Partial<AttackOutcome> = {},
): AttackOutcome {
  const flips = recordFlips({ clean: logits(clean), attacked: logits(clean.map(after)), labels, classes });
  return {
    model: 'A',
    attack,
    title: attack.toUpperCase(),
    family: 'white-box',
    norm: 'linf',
    epsilon: 0.1,
    steps: 40,
    ...more,
    flips,
  };
}

const neighbour = (label: number): number => label ^ 1;
const opposite = (label: number): number => (label + 2) % 4;
const outcomes = [
  outcome('near', (a) => neighbour(a)),
  outcome('half', (a, i) => (i % 2 === 0 ? opposite(a) : a)),
  outcome('far', (a, i) => (i % 4 === 0 ? a : opposite(a))),
  outcome('near', (a) => neighbour(a), { epsilon: 0.2 }),
  outcome('uap', () => 2, { family: 'universal' }),
  outcome('noise', (a, i) => (i === 0 ? neighbour(a) : a), { family: 'control' }),
];
const resamples = drawResamples(count, stream(0), 50);
const rows = summariseAttacks(outcomes, { measures, resamples });
const data = SeverityData.parse(
  JSON.parse(
    JSON.stringify({
      classNames,
      measures: [{ name: 'wup', title: 'Wu–Palmer' }],
      noSemantics: null,
      rows,
      clean: cleanMistakes(labels, outcomes[0]!.flips, measures, resamples),
      agreement: rankAgreements(rows),
      differences: severityDifferences(outcomes, measures[0]!, resamples),
    }),
  ),
);
const blocks = severityBlocks(data);
const table = (title: RegExp) => {
  const found = blocks.find((block) => block.kind === 'table' && title.test(block.title));
  assert.ok(found?.kind === 'table', `a table ${title.source}`);
  return found;
};

describe('severity of attacks in a report', () => {
  it('leads with severity corrected for chance, which tells neighbours from far classes', () => {
    const corrected = table(/corrected for chance/);
    const chance = (0.2 + 1 + 1) / 3;
    const of = (name: string): number => Number(corrected.rows.find(([title]) => title === name)?.[2]);
    assert.ok(Math.abs(of('NEAR') - 0.2 / chance) < 1e-12);
    assert.ok(Math.abs(of('FAR') - 1 / chance) < 1e-12);
    assert.match(String(corrected.rows.at(-1)?.[0]), /^Reference: mistakes on clean images \(1\)$/);
  });

  it('compares attacks on the images that all of them fool, controls left out', () => {
    const row = data.rows.find(({ attack, epsilon }) => attack === 'far' && epsilon === 0.1);
    // half fools even images; far fools those that no 4 divides; uap those that are not taken for 2 already.
    assert.equal(row?.shared?.count, Array.from(clean).filter((a, i) => i % 2 === 0 && i % 4 !== 0 && a !== 2).length);
    assert.equal(data.rows.find(({ family }) => family === 'control')?.shared, null);
  });

  it('says when fooling rate and severity put attacks in different orders', () => {
    const order = table(/Order of the attacks/);
    const near = order.rows.find(([budget, title]) => budget === 'A, linf 0.1' && title === 'NEAR');
    assert.deepEqual(near?.slice(2), [1, 4, 3]);
    const within = table(/Does the fooling rate rank/).rows.find(([name]) => name === 'model A, linf 0.1');
    assert.equal(within?.[1], 4);
    assert.ok(Math.abs(Number(within?.[2])) <= 1);
    assert.match(order.note ?? '', /of 6 paired differences/);
  });

  it('draws sweeps only along what changes, and sets universal against image-specific ones', () => {
    const lines = blocks.filter((block) => block.kind === 'line');
    assert.deepEqual(
      lines.map(({ title }) => title),
      ['Fooling rate over epsilon', 'Severity (Wu–Palmer) over epsilon'],
    );
    assert.deepEqual(
      lines[0]?.series.map(({ name, points }) => [name, points.map(([x]) => x)]),
      [['NEAR', [0.1, 0.2]]],
    );
    const sweep = [1, 10, 40].map((steps) =>
      outcome('pgd', (a, i) => (i < steps ? opposite(a) : a), { family: 'sweep', steps }),
    );
    const swept = summariseAttacks([...outcomes, ...sweep], { measures, resamples });
    assert.deepEqual(swept.slice(0, rows.length), rows);
    const more = severityBlocks(SeverityData.parse({ ...data, rows: swept }));
    const steps = more.find((block) => block.kind === 'line' && block.title === 'Fooling rate over steps');
    assert.ok(steps?.kind === 'line');
    assert.deepEqual(steps.series[0]?.points, [
      [1, 1 / 40],
      [10, 10 / 40],
      [40, 1],
    ]);
    assert.ok(!more.some((block) => block.kind === 'table' && block.rows.flat().includes('PGD')));
    assert.equal(lines[0]?.series[0]?.band?.length, 2);
    assert.equal(table(/Universal and image-specific/).rows[0]?.[1], 'universal');
    assert.ok(!blocks.some((block) => block.kind === 'table' && /Transferred|same attack/.test(block.title)));
  });

  it('shows where the answers go, each row a distribution, and the classes that lose most', () => {
    const map = blocks.find((block) => block.kind === 'heat-map');
    assert.ok(map?.kind === 'heat-map');
    for (const row of map.values) assert.ok(Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-12);
    assert.deepEqual(
      table(/Most harmful source/).rows.map((row) => row.length),
      [4, 4, 4, 4],
    );
  });

  it('gives every figure of the worst case with its interval', () => {
    const worst = outcome('worst', (a, i) => (i % 2 === 0 ? opposite(a) : a), { family: 'worst-case', steps: null });
    const withWorst = summariseAttacks([...outcomes, worst], { measures, resamples });
    const figures = severityBlocks(SeverityData.parse({ ...data, rows: withWorst })).find(
      (block) => block.kind === 'table' && block.title === 'Every figure of the worst case',
    );
    assert.ok(figures?.kind === 'table');
    const row = (title: RegExp): string => String(figures.rows.find(([name]) => title.test(String(name)))?.[1]);
    assert.match(row(/^Fooling rate/), /^50\.0 % \(\d\d\.\d – \d\d\.\d\)$/);
    // The old label falls two places in every second image.
    assert.match(row(/^OLNR/), /^1\.00 \(0\.\d\d – 1\.\d\d\)$/);
    assert.equal(figures.rows.length, 22);
  });

  it('sets models side by side when there are several, and the cost when there is a matrix', () => {
    const cost = { values: values.map((d) => 10 * d), threshold: 5 };
    const two = summariseAttacks([...outcomes, outcome('near', (a) => opposite(a), { model: 'B' })], {
      measures,
      cost,
      resamples,
    });
    const both = severityBlocks(SeverityData.parse({ ...data, rows: two }));
    const models = both.find((block) => block.kind === 'table' && block.title === 'Models under the same attack');
    assert.ok(models?.kind === 'table');
    assert.deepEqual(
      models.rows.map(([, model]) => model),
      ['A', 'B'],
    );
    const costs = both.find((block) => block.kind === 'table' && block.title === 'What the flips cost');
    assert.ok(costs?.kind === 'table');
    assert.deepEqual(costs.rows.at(-1)?.slice(3), [10, 10, 10, 1]);
  });

  it('says why there is no semantics and keeps flips, ranks and confidence', () => {
    const plain = severityBlocks({ ...data, measures: [], noSemantics: 'Digits have no semantics.' });
    assert.deepEqual(
      plain.map(({ kind }) => kind),
      ['notice', 'table'],
    );
  });
});
