import type { KeyFigure } from './document.ts';
import { formatFixed, formatInterval, formatValue } from './format.ts';
import { markup, type Markup } from './markup.ts';

/** The figures in a row of cards; fractions get a gauge from 0 to 100 %, so that they can be compared by eye. */
export function keyFigureCards(figures: readonly KeyFigure[]): Markup | false {
  if (figures.length === 0) return false;
  return markup`<section class="key-figures" aria-label="Key figures">${figures.map(card)}</section>`;
}

function card(figure: KeyFigure): Markup {
  const { label, value, unit, interval, note } = figure;
  // Number and unit are set apart in size; a duration has several of both and stays whole.
  const text = formatValue(value, unit);
  const [, number = text, suffix = ''] =
    unit === 'ms' ? [] : (/^([^\u202f\u00a0]+)([\u202f\u00a0].+)$/.exec(text) ?? []);
  // Always five parts: they share the rows of the grid, so that values and gauges of neighbours are level.
  return markup`<div class="card"><div class="card-label">${label}</div><div class="card-value">${number}${
    suffix !== '' && markup`<span class="${suffix.length > 4 ? 'card-unit word' : 'card-unit'}">${suffix}</span>`
  }</div><div>${unit === 'fraction' && gauge(value, interval)}</div><div class="card-interval">${
    interval !== undefined && `95\u202f% CI ${formatInterval(interval, unit, value)}`
  }</div><div class="card-note">${note}</div></div>`;
}

function gauge(value: number | null, interval: readonly [number, number] | undefined): Markup | false {
  if (value === null || !(value >= 0 && value <= 1)) return false;
  const clamp = (share: number) => Number(formatFixed(Math.min(1, Math.max(0, share)) * 100, 2));
  return markup`<svg class="gauge" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="gauge-track" x="0" y="3" width="100" height="2"/><rect class="gauge-value" x="0" y="2" width="${clamp(value)}" height="4"/>${
    interval !== undefined &&
    markup`<rect class="gauge-interval" x="${clamp(interval[0])}" y="0" width="${Math.max(0.6, clamp(interval[1]) - clamp(interval[0]))}" height="8"/>`
  }</svg>`;
}
