import { area, line } from 'd3-shape';
import {
  extent,
  linearAxis,
  logAxis,
  shorten,
  svg,
  textWidth,
  xAxisMarkup,
  yAxisMarkup,
  type Axis,
  type Frame,
  type Plot,
} from './axes.ts';
import { decimate, maxPoints, type Point } from './decimate.ts';
import type { LineChartBlock, TableBlock } from './document.ts';
import { formatValue } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { seriesStyle } from './palette.ts';

const narrowWidth = 480;

/** Curves on a linear or logarithmic y axis. A series of one point is drawn as a dot. */
export function lineChart(block: LineChartBlock, frame: Frame): Markup {
  const isNarrow = frame.width < narrowWidth;
  const height = isNarrow ? 250 : 310;
  const references = (block.references ?? []).filter(({ value }) => isDrawable(value, block));
  const series = block.series.map(({ name, points, band = [], isWhiskers = false, isLeading = false }) => ({
    name,
    isWhiskers,
    isLeading,
    band: band.filter(([at, low, high]) => Number.isFinite(at) && isDrawable(low, block) && isDrawable(high, block)),
    points: decimate(
      points.filter(([, y]) => isDrawable(y, block)),
      isNarrow ? maxPoints / 4 : maxPoints,
    ),
  }));
  const values = series
    .flatMap(({ points, band }) => [...points.map(([, y]) => y), ...band.flatMap(([, low, high]) => [low, high])])
    .concat(references.map(({ value }) => value));
  const y = yAxis(block, values, [height - 48, 30]);
  const referenceRoom = references.map(({ name }) => Math.min(textWidth(name, 11.5), isNarrow ? 100 : 150) + 16);
  const plot: Plot = {
    width: frame.width,
    height,
    left: Math.max(...y.ticks.map(({ label }) => textWidth(label)), 12) + 10,
    right: frame.width - Math.max(6, ...referenceRoom),
    top: 30,
    bottom: height - 48,
  };
  const x = linearAxis({
    values: series.flatMap(({ points }) => points.map(([at]) => at)),
    range: [plot.left, plot.right],
    count: isNarrow ? 5 : 8,
    nice: false,
  });
  const bands = series.map(({ band, isWhiskers }, index) =>
    isWhiskers ? whiskers(band, index, x, y) : bandMarkup(band, index, x, y),
  );
  const curves = series.map(({ name, points, isLeading }, index) => curve(name, points, { index, isLeading }, x, y));
  const empty = values.length === 0;
  const content = markup`${yAxisMarkup(y, plot, block.y.title, block.y.unit)}${xAxisMarkup(x, plot, block.x.title)}${bands}${referenceLines(references, y, plot)}${curves}${
    empty &&
    markup`<text class="tick" x="${(plot.left + plot.right) / 2}" y="${(plot.top + plot.bottom) / 2}" text-anchor="middle">No data</text>`
  }`;
  return svg(frame, height, block.title, describe(block), content);
}

function isDrawable(value: number, block: LineChartBlock): boolean {
  return Number.isFinite(value) && (block.y.log !== true || value > 0);
}

function yAxis(block: LineChartBlock, values: readonly number[], range: readonly [number, number]): Axis {
  const { unit, min, max, log } = block.y;
  if (log === true) return logAxis({ values, range, count: 6, unit, min, max });
  const axis = linearAxis({ values, range, count: 5, unit, min, max, nice: true });
  const [low, high] = extent(values) ?? [0, 1];
  // Rounding must not announce accuracies above 100 % or below 0 %.
  if (unit !== 'fraction' || low < 0 || high > 1 || (axis.domain[0] >= 0 && axis.domain[1] <= 1)) return axis;
  const clamped = { min: Math.max(0, axis.domain[0]), max: Math.min(1, axis.domain[1]) };
  return linearAxis({ values, range, count: 5, unit, ...clamped, nice: true });
}

function curve(
  name: string,
  points: readonly Point[],
  { index, isLeading }: { readonly index: number; readonly isLeading: boolean },
  x: Axis,
  y: Axis,
): Markup | false {
  const { className, dash } = seriesStyle(index);
  const [first] = points;
  if (first === undefined) return false;
  if (points.length === 1) {
    return markup`<circle class="dot ${className}" cx="${x.at(first[0])}" cy="${y.at(first[1])}" r="3.5"><title>${name}</title></circle>`;
  }
  const path = line<Point>()
    .x(([at]) => x.at(at))
    .y(([, value]) => y.at(value))
    .digits(1)([...points]);
  // Few points are marked: what is between them was not measured.
  const marks = points.length > markedPoints ? [] : points;
  return markup`<path class="curve ${className}${isLeading && ' leading'}" d="${path ?? ''}"${dash !== '' && markup` stroke-dasharray="${dash}"`}><title>${name}</title></path>${marks.map(([at, value]) => markup`<circle class="dot ${className}" cx="${x.at(at)}" cy="${y.at(value)}" r="2.2"/>`)}`;
}

const markedPoints = 12;

/** The interval around a curve; a whisker where there is but one point. */
function bandMarkup(
  band: readonly (readonly [number, number, number])[],
  index: number,
  x: Axis,
  y: Axis,
): Markup | false {
  const { className } = seriesStyle(index);
  const [first] = band;
  if (first === undefined) return false;
  if (band.length === 1) {
    const [at, low, high] = first;
    return markup`<path class="curve ${className}" d="M${x.at(at)} ${y.at(low)}V${y.at(high)}"/>`;
  }
  const path = area<readonly [number, number, number]>()
    .x(([at]) => x.at(at))
    .y0(([, low]) => y.at(low))
    .y1(([, , high]) => y.at(high))
    .digits(1)([...band]);
  return markup`<path class="band ${className}" d="${path ?? ''}"/>`;
}

/** Each a little beside the last curve's, so that those at the same x can be told apart. */
function whiskers(band: readonly (readonly [number, number, number])[], index: number, x: Axis, y: Axis): Markup {
  const { className } = seriesStyle(index);
  const aside = 2 * (((index + 1) >> 1) % 5) * (index % 2 === 0 ? -1 : 1);
  const lines = band.map(([at, low, high]) => `M${(x.at(at) + aside).toFixed(1)} ${y.at(low)}V${y.at(high)}`);
  return markup`<path class="interval ${className}" d="${lines.join('')}"/>`;
}

/** Dashed levels; their names stand at the right and are moved apart where two levels are close. */
function referenceLines(
  references: readonly { readonly name: string; readonly value: number }[],
  y: Axis,
  plot: Plot,
): Markup {
  const room = plot.width - plot.right - 10;
  const placed = references.map(({ name, value }) => ({ name, at: y.at(value) })).sort((a, b) => a.at - b.at);
  let previous = -Infinity;
  const labels = placed.map(({ name, at }) => {
    const labelAt = Math.max(at + 4, previous + 14);
    previous = labelAt;
    return markup`<line class="reference" x1="${plot.left}" x2="${plot.right}" y1="${at}" y2="${at}"/><text class="reference-label" x="${plot.right + 8}" y="${labelAt}">${shorten(name, room, 11.5)}</text>`;
  });
  return markup`${labels}`;
}

function describe(block: LineChartBlock): string {
  const parts = block.series.map(({ name, points }) => {
    const last = points.findLast(([, value]) => Number.isFinite(value));
    return last === undefined
      ? `${name}: no data`
      : `${name} ends at ${formatValue(last[1], block.y.unit ?? '1')} (${points.length} points)`;
  });
  const levels = (block.references ?? []).map(
    ({ name, value }) => `${name} is at ${formatValue(value, block.y.unit ?? '1')}`,
  );
  return `Line chart of ${block.y.title} over ${block.x.title}. ${[...parts, ...levels].join('; ')}.`;
}

const twinRows = 100;

/** The same numbers as a table: every x that a series has, thinned evenly to at most 100 rows; the last row stays. */
export function lineTable(block: LineChartBlock): TableBlock {
  const series = block.series.flatMap(({ name, points, band, isWhiskers }) => [
    { name, at: new Map(points) },
    // Of many curves they would make a table that no page holds.
    ...(band && isWhiskers !== true
      ? [
          { name: `${name}, low`, at: new Map(band.map(([x, low]) => [x, low])) },
          { name: `${name}, high`, at: new Map(band.map(([x, , high]) => [x, high])) },
        ]
      : []),
  ]);
  const all = [...new Set(block.series.flatMap(({ points }) => points.map(([x]) => x)))]
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const count = Math.min(all.length, twinRows);
  const xs = all.length === count ? all : pickEvenly(all, count);
  const unit = block.y.unit === undefined ? {} : { unit: block.y.unit };
  return {
    kind: 'table',
    title: block.title,
    columns: [
      { title: block.x.title, align: 'right' },
      ...series.map(({ name }) => ({ title: name, ...unit, align: 'right' as const })),
    ],
    rows: xs.map((x) => [x, ...series.map(({ at }) => at.get(x) ?? null)]),
    ...(count < all.length
      ? { note: `${count} of ${all.length} steps, evenly chosen. The JSON file of the report has all of them.` }
      : {}),
  };
}

function pickEvenly(values: readonly number[], count: number): readonly number[] {
  const last = values.length - 1;
  return Array.from({ length: count }, (_, i) => Math.round((i * last) / (count - 1))).flatMap((i) =>
    values.slice(i, i + 1),
  );
}
