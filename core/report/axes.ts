import { scaleLinear, scaleLog } from 'd3-scale';
import { formatFixed, formatNumber, formatPowerOfTen, shownScale, titleWithUnit } from './format.ts';
import { markup, type Markup } from './markup.ts';

/** Where the plot lies inside its drawing, in drawing units (CSS pixels at full width). */
export interface Plot {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** What every chart function gets besides its block: the width to draw for, and a prefix for ids inside the drawing. */
export interface Frame {
  readonly width: number;
  readonly id: string;
}

export interface Axis {
  readonly domain: readonly [number, number];
  readonly at: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Width of a line of text in the theme's chart font; generous, since the font is the reader's own. */
export function textWidth(text: string, fontSize = 12): number {
  return text.length * fontSize * 0.56;
}

export function shorten(text: string, width: number, fontSize = 12): string {
  const room = Math.max(3, Math.floor(width / (fontSize * 0.56)));
  return text.length <= room ? text : `${text.slice(0, room - 1).trimEnd()}…`;
}

export function extent(values: readonly number[]): readonly [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}

/** Labels with the decimals that the step between ticks needs; millions are shortened, since the axis is narrow. */
function tickLabels(ticks: readonly number[], scale: number): readonly { value: number; label: string }[] {
  const shown = ticks.map((tick) => tick * scale);
  const step = Math.abs((shown[1] ?? 1) - (shown[0] ?? 0)) || 1;
  const largest = Math.max(...shown.map(Math.abs), 0);
  const [divisor, suffix] = largest >= 1e6 ? [1e6, 'M'] : [1, ''];
  const digits = Math.min(12, Math.max(0, -Math.floor(Math.log10(step / divisor) + 1e-9)));
  const coarse = Math.abs(Number((step / divisor).toFixed(digits)) - step / divisor) < 1e-9 * (step / divisor);
  return ticks.map((value) => {
    const label = formatFixed((value * scale) / divisor, coarse ? digits : digits + 1);
    return { value, label: value === 0 ? '0' : label + suffix };
  });
}

export interface LinearOptions {
  readonly values: readonly number[];
  readonly range: readonly [number, number];
  readonly count: number;
  readonly unit?: string | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Round the ends of the domain to ticks. */
  readonly nice: boolean;
}

export function linearAxis(options: LinearOptions): Axis {
  const scale = shownScale(options.unit);
  const [low, high] = extent(options.values) ?? [0, 1];
  let from = options.min ?? low;
  let to = options.max ?? high;
  if (!(from < to)) {
    // A flat line still needs a height; it lies in the middle unless an end was asked for.
    const spread = Math.abs(from) * 0.1 || 1;
    to = options.max !== undefined && options.min === undefined ? to : from + spread;
    from = options.min ?? Math.min(from, to) - spread;
  }
  const d3 = scaleLinear()
    .domain([from * scale, to * scale])
    .range([...options.range]);
  if (options.nice) {
    d3.nice(options.count);
    const [niceLow = 0, niceHigh = 1] = d3.domain();
    d3.domain([
      options.min === undefined ? niceLow : options.min * scale,
      options.max === undefined ? niceHigh : options.max * scale,
    ]);
  }
  const [start = 0, end = 1] = d3.domain();
  const ticks = tickLabels(d3.ticks(options.count), 1).map(({ value, label }) => ({ value: value / scale, label }));
  return { domain: [start / scale, end / scale], at: (value) => d3(value * scale), ticks };
}

/** Values of 0 and below have no place on it and must be left out by the caller. */
export function logAxis(options: Omit<LinearOptions, 'nice'>): Axis {
  const scale = shownScale(options.unit);
  const positive = options.values.filter((value) => value > 0);
  const [low, high] = extent(positive) ?? [0.1, 1];
  const from = options.min !== undefined && options.min > 0 ? options.min : low;
  const to = options.max !== undefined && options.max > from ? options.max : Math.max(high, from * 1.001);
  const d3 = scaleLog()
    .domain([from * scale, to * scale])
    .range([...options.range]);
  const decades = Math.log10(to / from);
  if (decades >= 1) d3.nice();
  const [start = 0.1, end = 1] = d3.domain();
  const ticks = decades >= 1.7 ? powers(start, end, options.count) : d3.ticks(options.count).filter(isRound);
  const label = (value: number) =>
    decades >= 1.7 && (start < 0.001 || end > 99_999)
      ? formatPowerOfTen(Math.round(Math.log10(value)))
      : formatNumber(value);
  return {
    domain: [start / scale, end / scale],
    at: (value) => d3(value * scale),
    ticks: ticks.map((value) => ({ value: value / scale, label: label(value) })),
  };
}

function powers(start: number, end: number, count: number): readonly number[] {
  const first = Math.ceil(Math.log10(start) - 1e-9);
  const last = Math.floor(Math.log10(end) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first) / count));
  const ticks: number[] = [];
  for (let exponent = first; exponent <= last; exponent += step) ticks.push(10 ** exponent);
  return ticks;
}

function isRound(value: number): boolean {
  const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((round) => Math.abs(mantissa - round) < 1e-6);
}

/** Light horizontal lines with their values at the left, and the axis title above them. */
export function yAxisMarkup(axis: Axis, plot: Plot, title: string, unit: string | undefined): Markup {
  return markup`<text class="axis-title" x="0" y="12">${titleWithUnit(title, unit)}</text>${axis.ticks.map(
    ({ value, label }) => {
      const y = axis.at(value);
      return markup`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/><text class="tick" x="${plot.left - 8}" y="${y + 4}" text-anchor="end">${label}</text>`;
    },
  )}`;
}

/** Base line with short tick marks, their values, and the axis title at the right end below them. */
export function xAxisMarkup(axis: Axis, plot: Plot, title: string): Markup {
  const marks = axis.ticks.map(({ value, label }) => {
    const x = axis.at(value);
    const room = textWidth(label) / 2;
    const anchor = x + room > plot.width ? 'end' : 'middle';
    const at = anchor === 'end' ? plot.width : x;
    return markup`<line class="axis" x1="${x}" x2="${x}" y1="${plot.bottom}" y2="${plot.bottom + 4}"/><text class="tick" x="${at}" y="${plot.bottom + 18}" text-anchor="${anchor}">${label}</text>`;
  });
  return markup`<line class="axis" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>${marks}<text class="axis-title" x="${plot.right}" y="${plot.bottom + 36}" text-anchor="end">${title}</text>`;
}

/** The drawing itself, named for readers who do not see it. */
export function svg(frame: Frame, height: number, title: string, description: string, content: Markup): Markup {
  const titleId = `${frame.id}-t`;
  const descriptionId = `${frame.id}-d`;
  return markup`<svg class="drawing" role="img" aria-label="${title}" aria-describedby="${descriptionId}" viewBox="0 0 ${frame.width} ${height}" width="${frame.width}" height="${height}"><title id="${titleId}">${title}</title><desc id="${descriptionId}">${description}</desc>${content}</svg>`;
}
