import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { linearAxis, logAxis } from './axes.ts';
import { barChart, barTable } from './bar-chart.ts';
import { decimate, type Point } from './decimate.ts';
import type { BarChartBlock, HeatMapBlock, LineChartBlock, ScatterChartBlock } from './document.ts';
import { heatMap, heatMapTable, poolFactor } from './heat-map.ts';
import { lineChart, lineTable } from './line-chart.ts';
import { toText } from './markup.ts';
import { cividis } from './palette.ts';
import { scatterChart, scatterTable } from './scatter-chart.ts';

const frame = { width: 820, id: 'f1w' };
const count = (text: string, part: RegExp) => [...text.matchAll(part)].length;

const line: LineChartBlock = {
  kind: 'line',
  title: 'Loss',
  x: { title: 'Step' },
  y: { title: 'Loss', unit: 'nat' },
  series: [
    { name: 'a', points: Array.from({ length: 5000 }, (_, i): Point => [i, Math.sin(i / 50)]) },
    { name: 'b', points: [[0, 0.5]] },
  ],
};

describe('decimation', () => {
  const random = stream(1, 'decimate');
  const points = Array.from({ length: 10_000 }, (_, i): Point => [i, random.normal()])
    .with(4321, [4321, 99])
    .with(77, [77, -99]);

  it('keeps at most the limit, both extremes, both ends and the order', () => {
    const kept = decimate(points, 2000);
    assert.ok(kept.length <= 2000 && kept.length > 1500);
    assert.ok(kept.some(([x, y]) => x === 4321 && y === 99));
    assert.ok(kept.some(([x, y]) => x === 77 && y === -99));
    assert.deepEqual([kept.at(0), kept.at(-1)], [points.at(0), points.at(-1)]);
    assert.ok(kept.every(([x], i) => i === 0 || x > (kept[i - 1]?.[0] ?? Infinity)));
  });

  it('leaves short series alone and drops what is not finite', () => {
    assert.deepEqual(
      decimate([
        [0, 1],
        [1, Number.NaN],
        [2, 3],
      ]),
      [
        [0, 1],
        [2, 3],
      ],
    );
  });
});

describe('axes', () => {
  it('labels ticks with the decimals of their step, fractions in percent', () => {
    const axis = linearAxis({ values: [0.981, 0.985], range: [100, 0], count: 5, unit: 'fraction', nice: true });
    assert.deepEqual(
      axis.ticks.map(({ label }) => label),
      ['98.1', '98.2', '98.3', '98.4', '98.5'],
    );
    assert.ok(Math.abs(axis.at(0.983) - 50) < 1e-9);
  });

  it('gives a flat series a height around its value', () => {
    const axis = linearAxis({ values: [3], range: [0, 1], count: 5, nice: false });
    assert.ok(axis.domain[0] < 3 && axis.domain[1] > 3);
  });

  it('writes powers of ten over many decades', () => {
    const axis = logAxis({ values: [1e-6, 1, 0, -5], range: [100, 0], count: 6 });
    assert.deepEqual(
      axis.ticks.map(({ label }) => label),
      ['10⁻⁶', '10⁻⁵', '10⁻⁴', '10⁻³', '10⁻²', '10⁻¹', '10⁰'],
    );
  });
});

describe('line chart', () => {
  it('draws at most 2,000 points of a series and a single point as a dot', () => {
    const text = toText(lineChart(line, frame));
    const path = /<path class="curve s1" d="([^"]*)"/.exec(text)?.[1] ?? '';
    assert.ok(count(path, /[ML]/g) <= 2000 && count(path, /[ML]/g) > 1000);
    assert.equal(count(text, /<circle class="dot s2"/g), 1);
  });

  it('draws intervals of several curves as thin lines that stand beside each other', () => {
    const points = [
      [0, 0.5],
      [1, 0.4],
    ] as const;
    const band = [
      [0, 0.4, 0.6],
      [1, 0.3, 0.5],
    ] as const;
    const series = ['a', 'b', 'c'].map((name) => ({ name, points, band, isWhiskers: true, isLeading: name === 'b' }));
    const block = { kind: 'line' as const, title: 'T', x: { title: 'x' }, y: { title: 'y' }, series };
    const text = toText(lineChart(block, frame));
    const paths = [...text.matchAll(/<path class="interval s\d" d="(M[^"]+)"/g)].map(([, d]) => d);
    assert.equal(new Set(paths).size, 3);
    for (const d of paths) assert.equal(count(d ?? '', /M/g), 2);
    assert.equal(count(text, /class="band/g), 0);
    assert.deepEqual(
      [...text.matchAll(/class="curve (s\d) leading"/g)].map(([, colour]) => colour),
      ['s2'],
    );
    assert.equal(lineTable(block).columns.length, 4, 'their table would be wider than a page');
  });

  it('draws an interval as a band that the axis holds, and as a whisker where there is one point', () => {
    const series = [
      {
        name: 'a',
        points: [
          [0, 0.5],
          [1, 0.4],
        ] as const,
        band: [
          [0, 0.2, 0.9],
          [1, 0.3, 0.5],
        ] as const,
      },
      { name: 'b', points: [[1, 0.1]] as const, band: [[1, 0.05, 0.15]] as const },
    ];
    const block: LineChartBlock = { ...line, y: { title: 'Accuracy', unit: 'fraction' }, series };
    const text = toText(lineChart(block, frame));
    assert.equal(count(text, /<path class="band s1"/g), 1);
    assert.match(text, /<path class="curve s2" d="M[\d.]+ [\d.]+V[\d.]+"/);
    assert.match(text, />80</, 'the axis reaches up to the band');
    const twin = lineTable(block);
    assert.deepEqual(
      twin.columns.map(({ title }) => title),
      ['Step', 'a', 'a, low', 'a, high', 'b', 'b, low', 'b, high'],
    );
    assert.deepEqual(twin.rows[1], [1, 0.4, 0.3, 0.5, 0.1, 0.05, 0.15]);
  });

  it('says that there is no data instead of failing', () => {
    assert.match(toText(lineChart({ ...line, series: [] }, frame)), />No data</);
    const log = { ...line, y: { title: 'Loss', log: true }, series: [{ name: 'a', points: [[1, -1]] as const }] };
    assert.match(toText(lineChart(log, frame)), />No data</);
  });

  it('does not announce accuracies above 100 %', () => {
    const y = { title: 'Accuracy', unit: 'fraction' };
    const text = toText(
      lineChart(
        {
          ...line,
          y,
          series: [
            {
              name: 'a',
              points: [
                [0, 0.1],
                [1, 0.999],
              ],
            },
          ],
        },
        frame,
      ),
    );
    assert.match(text, />100</);
    assert.doesNotMatch(text, />120</);
  });

  it('moves the names of close reference levels apart', () => {
    const references = [
      { name: 'one', value: 0.5 },
      { name: 'two', value: 0.501 },
    ];
    const text = toText(lineChart({ ...line, references }, frame));
    const at = [...text.matchAll(/class="reference-label" x="[^"]*" y="([^"]*)"/g)].map((match) => Number(match[1]));
    assert.ok(Math.abs((at[0] ?? 0) - (at[1] ?? 0)) >= 14);
  });

  it('has a table twin of at most 100 rows that ends with the last step', () => {
    const twin = lineTable(line);
    assert.equal(twin.rows.length, 100);
    assert.equal(twin.rows.at(-1)?.[0], 4999);
    assert.deepEqual(twin.rows[0], [0, 0, 0.5]);
    assert.match(twin.note ?? '', /100 of 5000 steps/);
  });
});

const bars: BarChartBlock = {
  kind: 'bar',
  title: 'Recall',
  y: { title: 'Recall', unit: 'fraction', max: 1 },
  categories: ['zero', 'one'],
  series: [
    { name: 'student', values: [0.5, null], intervals: [[0.4, 0.6], null] },
    { name: 'teacher', values: [1, -0.25] },
  ],
};

describe('bar chart', () => {
  it('draws a bar for each known value, starting at zero', () => {
    const text = toText(barChart({ ...bars, series: [{ name: 'a', values: [0.5, 1] }] }, frame));
    const heights = [...text.matchAll(/<rect class="bar s1"[^>]*height="([^"]*)"/g)].map((match) => Number(match[1]));
    assert.equal(heights.length, 2);
    assert.ok(Math.abs((heights[1] ?? 0) - 2 * (heights[0] ?? 0)) < 0.02);
    assert.equal(count(toText(barChart(bars, frame)), /<rect class="bar/g), 3);
  });

  it('keeps the interval in the table twin', () => {
    const twin = barTable(bars);
    assert.deepEqual(
      twin.columns.map(({ title }) => title),
      ['Category', 'student', 'student, low', 'student, high', 'teacher'],
    );
    assert.deepEqual(twin.rows, [
      ['zero', 0.5, 0.4, 0.6, 1],
      ['one', null, null, null, -0.25],
    ]);
  });
});

const scatter: ScatterChartBlock = {
  kind: 'scatter',
  title: 'Trade-off',
  x: { title: 'Accuracy', unit: 'fraction', min: 0, max: 1 },
  y: { title: 'Recovered', unit: 'fraction', min: 0, max: 1 },
  series: [
    {
      name: 'images',
      points: [
        { label: 'none', x: 0.74, y: 1, xInterval: [0.7, 0.78], yInterval: [0.72, 1] },
        { label: 'noise of variance 0.001', x: 0.73, y: 0.99 },
        { label: 'DP-SGD', detail: 'ε = 4.9', x: 0.25, y: 0 },
      ],
    },
    { name: 'labels', points: [{ label: 'none', x: 0.74, y: 1 }] },
  ],
};

describe('scatter chart', () => {
  it('draws each point with its intervals, and a mark of its own for each series', () => {
    const text = toText(scatterChart(scatter, frame));
    assert.equal(count(text, /<path class="dot s1"/g), 3);
    assert.equal(count(text, /<path class="whisker"/g), 2);
    const marks = [...text.matchAll(/<path class="dot s[12]" d="M[\d.]+ [\d.]+([a-zL])/g)].map((match) => match[1]);
    assert.deepEqual(new Set(marks), new Set(['a', 'h']));
    assert.match(text, /<title>DP-SGD: Accuracy 25[^<]*Recovered 0/);
  });

  it('keeps the names of close points apart and inside the drawing', () => {
    for (const width of [820, 394]) {
      const text = toText(scatterChart({ ...scatter, series: scatter.series.slice(0, 1) }, { ...frame, width }));
      const names = [
        ...text.matchAll(/<text class="(?:reference-label|tick)" x="([^"]*)" y="([^"]*)">((?:none|noise|DP|ε)[^<]*)</g),
      ].map(([, x, y, name = '']) => ({ left: Number(x), top: Number(y), right: Number(x) + 6.44 * name.length }));
      assert.equal(names.length, 4);
      const lines = [...text.matchAll(/<path class="whisker" d="M([\d.]+) ([\d.]+)([HV])([\d.]+)/g)].map(
        ([, x, y, way, end]) =>
          way === 'H'
            ? { left: Number(x), right: Number(end), top: Number(y), bottom: Number(y) }
            : { left: Number(x), right: Number(x), top: Number(end), bottom: Number(y) },
      );
      assert.equal(lines.length, 2);
      for (const name of names) {
        const isCrossed = lines.some(
          (ruled) =>
            ruled.left < name.right && name.left < ruled.right && ruled.top < name.top && name.top - 11 < ruled.bottom,
        );
        assert.equal(isCrossed, false, `${width}: an interval runs through a name`);
      }
      for (const [i, a] of names.entries()) {
        assert.ok(a.left >= 0 && a.right <= width, `name ${i}`);
        for (const b of names.slice(i + 1)) {
          assert.ok(Math.abs(a.top - b.top) >= 14 || a.left >= b.right || b.left >= a.right, `name ${i} is covered`);
        }
      }
    }
  });

  it('keeps names apart on a narrow page, too, where intervals take most of the room', () => {
    const points = [
      { label: 'no defence', x: 0.582, y: 1, xInterval: [0.56, 0.6], yInterval: [0.566, 1] },
      { label: 'Gaussian noise, variance 0.001', x: 0.59, y: 0.4, xInterval: [0.57, 0.61], yInterval: [0.12, 0.77] },
      { label: 'pruning of ninety percent', x: 0.453, y: 0.4, xInterval: [0.43, 0.47], yInterval: [0.12, 0.77] },
      { label: 'DP-SGD, norm 1, noise multiplier 0.5', detail: 'ε = 4.87', x: 0.125, y: 0, yInterval: [0, 0.43] },
    ] as const;
    const text = toText(scatterChart({ ...scatter, series: [{ name: 'images', points }] }, { ...frame, width: 394 }));
    const names = [
      ...text.matchAll(/<text class="(?:reference-label|tick)" x="([^"]*)" y="([^"]*)">((?:no d|Gau|pru|DP|ε)[^<]*)</g),
    ].map(([, x, y, name = '']) => ({ left: Number(x), top: Number(y), right: Number(x) + 6.44 * name.length }));
    assert.equal(names.length, 5);
    for (const [i, a] of names.entries()) {
      for (const b of names.slice(i + 1)) {
        assert.ok(Math.abs(a.top - b.top) >= 13.9 || a.left >= b.right || b.left >= a.right, `name ${i} is covered`);
      }
    }
  });

  it('has a table twin with the intervals, and says where there is no data', () => {
    const twin = scatterTable(scatter);
    assert.equal(
      twin.columns.map(({ title }) => title).join('; '),
      'Point; Detail; Series; Accuracy; Accuracy, low; Accuracy, high; Recovered; Recovered, low; Recovered, high',
    );
    assert.deepEqual(twin.rows[0], ['none', '', 'images', 0.74, 0.7, 0.78, 1, 0.72, 1]);
    assert.deepEqual(twin.rows[2], ['DP-SGD', 'ε = 4.9', 'images', 0.25, null, null, 0, null, null]);
    assert.match(toText(scatterChart({ ...scatter, series: [] }, frame)), />No data</);
  });
});

const map: HeatMapBlock = {
  kind: 'heat-map',
  title: 'Confusion',
  rows: ['cat', 'dog'],
  columns: ['cat', 'dog'],
  values: [
    [10, 0],
    [3, Number.NaN],
  ],
  rowTitle: 'True',
  columnTitle: 'Predicted',
  scale: 'counts',
};

describe('heat map', () => {
  it('prints values in cells that are large enough, and names for all cells', () => {
    const text = toText(heatMap(map, frame));
    assert.match(text, />10<\/text>/);
    assert.match(text, /<title>dog → cat: 3<\/title>/);
    assert.match(text, /class="cell-unknown"/);
    const many = Array.from({ length: 60 }, (_, i) => `class ${i}`);
    const large = heatMap({ ...map, rows: many, columns: many, values: many.map(() => many.map((_, i) => i)) }, frame);
    assert.doesNotMatch(toText(large), /class="cell-value/);
  });

  it('draws zero of a diverging map as the page and its extremes in full', () => {
    const text = toText(
      heatMap(
        {
          ...map,
          scale: 'diverging',
          values: [
            [-2, 0],
            [1, 2],
          ],
        },
        frame,
      ),
    );
    assert.match(text, /class="below" fill-opacity="1"/);
    assert.match(text, /class="above" fill-opacity="1"/);
    assert.match(text, /class="above" fill-opacity="0.03"/);
  });

  it('pools a matrix that is too large to draw and says so', () => {
    const many = Array.from({ length: 300 }, (_, i) => `class ${i}`);
    const block: HeatMapBlock = {
      ...map,
      rows: many,
      columns: many,
      values: many.map((_, i) => many.map((_name, j) => i + j)),
    };
    assert.equal(poolFactor(block), 3);
    const twin = heatMapTable(block);
    assert.equal(twin.rows.length, 100);
    assert.deepEqual(twin.rows[0]?.slice(0, 3), ['class 0', 2, 5]);
    assert.match(twin.note ?? '', /Means of 3 × 3/);
  });

  it('takes cividis from blue to yellow with a readable text colour', () => {
    assert.deepEqual(cividis(0), { fill: '#00204d', text: '#ffffff' });
    assert.deepEqual(cividis(1), { fill: '#ffea46', text: '#101418' });
  });
});
