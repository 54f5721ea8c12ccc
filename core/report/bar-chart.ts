import { scaleBand } from 'd3-scale';
import { linearAxis, shorten, svg, textWidth, yAxisMarkup, type Axis, type Frame, type Plot } from './axes.ts';
import type { BarChartBlock, TableBlock } from './document.ts';
import { commonDigits, formatFixed, formatNumber, formatValue, shownScale } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { seriesStyle } from './palette.ts';

/** Grouped bars that always start at 0; values stand on the bars where they fit, intervals as thin lines. */
export function barChart(block: BarChartBlock, frame: Frame): Markup {
  const isNarrow = frame.width < 480;
  const values = block.series.flatMap((series) => series.values).filter((value) => value !== null);
  const ends = block.series.flatMap((series) => (series.intervals ?? []).flatMap((interval) => interval ?? []));
  const range = (bottom: number): readonly [number, number] => [bottom, 34];
  const axisFor = (bottom: number) =>
    linearAxis({
      values: [0, ...values, ...ends],
      range: range(bottom),
      count: 5,
      unit: block.y.unit,
      max: block.y.max,
      nice: true,
    });
  const left = Math.max(...axisFor(200).ticks.map(({ label }) => textWidth(label)), 12) + 10;
  const right = frame.width - 2;
  const groups = scaleBand<number>()
    .domain(block.categories.keys())
    .range([left, right])
    .paddingInner(block.series.length > 1 ? 0.28 : 0.36)
    .paddingOuter(0.18);
  const longest = Math.max(...block.categories.map((name) => textWidth(name)), 0);
  const isSlanted = longest > groups.step() - 4;
  const labelHeight = isSlanted ? Math.min(longest, 110) * 0.72 + 14 : 26;
  const bottom = (isNarrow ? 220 : 250) + (isSlanted ? 0 : 4);
  const height = bottom + labelHeight;
  const plot: Plot = { width: frame.width, height, left, right, top: 34, bottom };
  const y = axisFor(bottom);

  const labels = block.categories.map((name, i) => {
    const x = (groups(i) ?? 0) + groups.bandwidth() / 2;
    if (!isSlanted)
      return markup`<text class="tick" x="${x}" y="${bottom + 18}" text-anchor="middle">${shorten(name, 400)}</text>`;
    // Slanted names still need about a line height each; others stay in the table below the chart.
    const every = Math.ceil(18 / groups.step());
    if (i % every !== 0) return false;
    return markup`<text class="tick" transform="translate(${x + 4} ${bottom + 14}) rotate(-45)" text-anchor="end">${shorten(name, Math.min(110, (x + 4) / 0.71))}</text>`;
  });
  const bars = block.series.map((series, index) => barsOf(series, index, block, y, groups));
  const zero = y.at(0);
  const content = markup`${yAxisMarkup(y, plot, block.y.title, block.y.unit)}${bars}<line class="axis" x1="${left}" x2="${right}" y1="${zero}" y2="${zero}"/>${labels}`;
  return svg(frame, height, block.title, describe(block), content);
}

type Groups = ReturnType<typeof scaleBand<number>>;

function barsOf(series: BarChartBlock['series'][number], index: number, block: BarChartBlock, y: Axis, groups: Groups) {
  const { className } = seriesStyle(index);
  const slot = groups.bandwidth() / Math.max(1, block.series.length);
  const gap = slot > 6 ? 1 : 0;
  const scale = shownScale(block.y.unit);
  const shown = block.series.flatMap(({ values }) => values).filter((value) => value !== null);
  const digits = Math.min(1, commonDigits(shown.map((value) => value * scale)) ?? 1);
  return block.categories.map((category, i) => {
    const value = series.values[i] ?? null;
    if (value === null || !Number.isFinite(value)) return false;
    const x = (groups(i) ?? 0) + index * slot;
    const top = Math.min(y.at(value), y.at(0));
    const interval = series.intervals?.[i] ?? null;
    const middle = x + slot / 2;
    const label = Math.abs(value * scale) < 1e5 ? formatFixed(value * scale, digits) : formatNumber(value * scale);
    const isLabelled = textWidth(label, 11) <= slot - 2;
    const labelAt = interval === null ? top : Math.min(top, y.at(Math.max(...interval)));
    return markup`<rect class="bar ${className}" x="${x + gap / 2}" y="${top}" width="${slot - gap}" height="${Math.abs(y.at(value) - y.at(0))}"><title>${`${category}, ${series.name}: ${formatValue(value, block.y.unit ?? '1')}`}</title></rect>${
      interval !== null &&
      markup`<path class="whisker" d="M${middle} ${y.at(interval[0])}V${y.at(interval[1])}M${middle - 3} ${y.at(interval[0])}h6M${middle - 3} ${y.at(interval[1])}h6"/>`
    }${isLabelled && markup`<text class="bar-value" x="${middle}" y="${labelAt - 5}" text-anchor="middle">${label}</text>`}`;
  });
}

function describe(block: BarChartBlock): string {
  const parts = block.series.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${name}: no data`;
    const unit = block.y.unit ?? '1';
    return `${name} from ${formatValue(Math.min(...known), unit)} to ${formatValue(Math.max(...known), unit)}`;
  });
  return `Bar chart of ${block.y.title} for ${block.categories.length} categories. ${parts.join('; ')}.`;
}

/** The same numbers as a table, one row a category; intervals get two columns of their own. */
export function barTable(block: BarChartBlock): TableBlock {
  const unit = block.y.unit === undefined ? {} : { unit: block.y.unit };
  const columns = block.series.flatMap(({ name, intervals }) => {
    const names = intervals === undefined ? [name] : [name, `${name}, low`, `${name}, high`];
    return names.map((title) => ({ title, ...unit, align: 'right' as const }));
  });
  return {
    kind: 'table',
    title: block.title,
    columns: [{ title: 'Category' }, ...columns],
    rows: block.categories.map((category, i) => [
      category,
      ...block.series.flatMap(({ values, intervals }) => {
        const value = values[i] ?? null;
        if (intervals === undefined) return [value];
        const interval = intervals[i] ?? null;
        return [value, interval?.[0] ?? null, interval?.[1] ?? null];
      }),
    ]),
  };
}
