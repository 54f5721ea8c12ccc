import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barsSvg, chartSvg } from './svg.ts';

const curves = [
  {
    label: 'student <a>',
    points: [
      [0, 1],
      [1, 0.5],
      [2, 0.25],
    ] as const,
  },
  {
    label: 'noise',
    points: [
      [0, 2],
      [1, 3],
      [2, 4],
    ] as const,
  },
];

describe('a chart as an SVG file', () => {
  const text = chartSvg({ title: 'Loss & more', xTitle: 'step', curves, isLog: false });

  it('stands alone: a namespace, colours of its own, no classes that only a page knows', () => {
    assert.match(text, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="720" height="\d+"/);
    const used = new Set([...text.matchAll(/class="([^"]+)"/g)].flatMap(([, names = '']) => names.split(' ')));
    for (const name of used) assert.ok(text.includes(`.${name}`), name);
    assert.doesNotMatch(text, /var\(--/);
  });

  it('has a line and an entry of the legend for each curve, escaped', () => {
    assert.equal([...text.matchAll(/<path class="curve s\d"/g)].length, 2);
    assert.ok(text.includes('student &lt;a&gt;') && text.includes('Loss &amp; more'));
    assert.doesNotMatch(text, /student <a>/);
  });

  it('is drawn of bars, too, a title for each and nothing that only a page knows', () => {
    const bars = barsSvg({ title: 'Items', yTitle: 'items', categories: ['cat', 'dog <b>'], values: [3, 5] });
    assert.equal([...bars.matchAll(/<rect class="bar s1"/g)].length, 2);
    assert.ok(bars.includes('dog &lt;b&gt;'));
    const used = new Set([...bars.matchAll(/class="([^"]+)"/g)].flatMap(([, names = '']) => names.split(' ')));
    for (const name of used) assert.ok(bars.includes(`.${name}`), name);
  });

  it('has one pair of tags for the picture, and no legend for one curve', () => {
    assert.equal([...text.matchAll(/<\/svg>/g)].length, 1);
    const one = chartSvg({ title: 'Loss', xTitle: 'step', curves: curves.slice(1), isLog: true });
    assert.equal([...one.matchAll(/<line class="curve/g)].length, 0);
  });
});
