import { extent, shorten, svg, textWidth, type Frame } from './axes.ts';
import type { HeatMapBlock, TableBlock } from './document.ts';
import { commonDigits, formatFixed, formatNumber } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { cividis } from './palette.ts';

/** Larger maps are drawn from means of blocks: 128 × 128 cells are what a page can show. */
const maxCells = 128;

interface Scale {
  /** Paint of a cell as SVG attributes, and the class or colour of the number in it. */
  readonly paint: (value: number) => { readonly cell: Markup; readonly text: Markup };
  readonly legend: readonly { readonly share: number; readonly value: number }[];
  /** Value at a share 0–1 of the legend's bar. */
  readonly valueAt: (share: number) => number;
}

/** A matrix as coloured cells with row names at the left and column names on top; numbers in the cells where they fit. */
export function heatMap(block: HeatMapBlock, frame: Frame): Markup {
  const { rows, columns, values } = pool(block);
  const scale = scaleFor(block.scale, values.flat());
  const left = Math.min(
    130,
    Math.max(...rows.map((name) => textWidth(name)), textWidth(block.rowTitle, 11.5), 10) + 10,
  );
  const pitch = Math.min(46, (frame.width - left) / Math.max(1, columns.length));
  const longest = Math.max(...columns.map((name) => textWidth(name)), 0);
  const isSlanted = longest > pitch - 2 && pitch >= 13;
  const top = 22 + (isSlanted ? Math.min(longest, 90) * 0.72 + 14 : 20);
  const row = Math.max(Math.min(pitch, 40), Math.min(14, pitch));
  const gap = pitch > 10 ? 1 : 0;
  const format = cellFormat(block, values.flat());
  const labels = values.map((line) => line.map(format));
  const fontSize = Math.min(12, Math.max(9.5, pitch * 0.3));
  const fits = Math.max(...labels.flat().map((label) => textWidth(label, fontSize)), 0) <= pitch - 3 && row >= 15;

  const cells = values.map((line, i) =>
    line.map((value, j) => {
      const { cell, text } = scale.paint(value);
      const [x, y] = [left + j * pitch, top + i * row];
      const name = `${rows[i] ?? ''} → ${columns[j] ?? ''}: ${formatNumber(value)}`;
      return markup`<rect ${cell} x="${x}" y="${y}" width="${pitch - gap}" height="${row - gap}">${pitch > 10 && markup`<title>${name}</title>`}</rect>${
        fits &&
        markup`<text ${text} font-size="${fontSize}" x="${x + (pitch - gap) / 2}" y="${y + (row - gap) / 2 + fontSize * 0.36}" text-anchor="middle">${labels[i]?.[j] ?? ''}</text>`
      }`;
    }),
  );
  const bottom = top + rows.length * row;
  const width = left + columns.length * pitch;
  const legend = legendMarkup(scale, frame, { left, top: bottom + 14, width: Math.min(220, width - left) }, format);
  const content = markup`<text class="axis-title" x="${left}" y="12">${block.columnTitle}</text>${
    // One name is enough where rows and columns are the same things.
    block.rowTitle !== block.columnTitle &&
    markup`<text class="axis-title" x="${left - 8}" y="${top - 8}" text-anchor="end">${shorten(block.rowTitle, left - 8, 11.5)}</text>`
  }${columnNames(columns, { left, top, pitch, gap, isSlanted })}${rowNames(rows, { left, top, row, gap })}<g class="cells">${cells}</g>${legend}`;
  return svg(frame, bottom + 46, block.title, describe(block), content);
}

function columnNames(
  names: readonly string[],
  at: { left: number; top: number; pitch: number; gap: number; isSlanted: boolean },
): readonly (Markup | false)[] {
  const every = at.pitch >= 13 ? 1 : Math.ceil(28 / at.pitch);
  return names.map((name, j) => {
    if (j % every !== 0) return false;
    const x = at.left + j * at.pitch + (at.pitch - at.gap) / 2;
    if (at.isSlanted) {
      return markup`<text class="tick" transform="translate(${x + 2} ${at.top - 7}) rotate(-45)">${shorten(name, 90)}</text>`;
    }
    return markup`<text class="tick" x="${x}" y="${at.top - 8}" text-anchor="middle">${name}</text>`;
  });
}

function rowNames(
  names: readonly string[],
  at: { left: number; top: number; row: number; gap: number },
): readonly (Markup | false)[] {
  const every = at.row >= 12 ? 1 : Math.ceil(14 / at.row);
  return names.map(
    (name, i) =>
      i % every === 0 &&
      markup`<text class="tick" x="${at.left - 8}" y="${at.top + i * at.row + (at.row - at.gap) / 2 + 4}" text-anchor="end">${shorten(name, at.left - 10)}</text>`,
  );
}

function scaleFor(kind: HeatMapBlock['scale'], values: readonly number[]): Scale {
  const [low, high] = extent(values) ?? [0, 1];
  if (kind === 'sequential') {
    const span = high - low || 1;
    return {
      paint: (value) => {
        if (!Number.isFinite(value)) return unknownPaint;
        const { fill, text } = cividis((value - low) / span);
        return { cell: markup`fill="${fill}"`, text: markup`class="cell-value" fill="${text}"` };
      },
      legend: [low, (low + high) / 2, high].map((value, i) => ({ share: i / 2, value })),
      valueAt: (share) => low + share * span,
    };
  }
  if (kind === 'counts') {
    const most = Math.max(high, 0) || 1;
    return {
      paint: (value) => (Number.isFinite(value) ? inked('ink', Math.sqrt(Math.max(0, value) / most)) : unknownPaint),
      legend: [0, most / 4, most].map((value) => ({ share: Math.sqrt(value / most), value })),
      valueAt: (share) => share * share * most,
    };
  }
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return {
    paint: (value) =>
      Number.isFinite(value) ? inked(value < 0 ? 'below' : 'above', Math.abs(value) / most) : unknownPaint,
    legend: [-most, 0, most].map((value, i) => ({ share: i / 2, value })),
    valueAt: (share) => (2 * share - 1) * most,
  };
}

const unknownPaint = { cell: markup`class="cell-unknown"`, text: markup`class="cell-value weak"` };

/** Ink over the page, so that 0 is the page itself in light, dark and print. */
function inked(className: string, share: number): { cell: Markup; text: Markup } {
  const tone = share > 0.8 ? 'on-ink' : share > 0.6 ? 'on-mid' : share === 0 ? 'weak' : '';
  return {
    cell: markup`class="${className}" fill-opacity="${0.03 + 0.97 * share}"`,
    text: markup`class="cell-value ${tone}"`,
  };
}

function legendMarkup(
  scale: Scale,
  frame: Frame,
  at: { left: number; top: number; width: number },
  format: (value: number) => string,
): Markup {
  const steps = 44;
  const width = at.width / steps;
  const bar = Array.from({ length: steps }, (_, i) => {
    const { cell } = scale.paint(scale.valueAt((i + 0.5) / steps));
    return markup`<rect ${cell} x="${at.left + i * width}" y="${at.top}" width="${width}" height="8"/>`;
  });
  const labels = scale.legend.map(({ share, value }) => {
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return markup`<text class="tick" x="${at.left + share * at.width}" y="${at.top + 22}" text-anchor="${anchor}">${format(value)}</text>`;
  });
  return markup`<g class="map-legend" aria-hidden="true" id="${frame.id}-l">${bar}<rect class="frame" x="${at.left}" y="${at.top}" width="${at.width}" height="8"/>${labels}</g>`;
}

function cellFormat(block: HeatMapBlock, values: readonly number[]): (value: number) => string {
  const digits = block.digits ?? Math.min(2, commonDigits(values) ?? 2);
  return (value) => (Number.isFinite(value) ? formatFixed(value, digits) : '–');
}

/** Means over square blocks when the matrix is too large to draw; names are those of the first row of a block. */
function pool(block: HeatMapBlock): Pick<HeatMapBlock, 'rows' | 'columns' | 'values'> {
  const factor = poolFactor(block);
  if (factor === 1) return block;
  const starts = (count: number) => Array.from({ length: Math.ceil(count / factor) }, (_, i) => i * factor);
  const mean = (i: number, j: number) => {
    const part = block.values
      .slice(i, i + factor)
      .flatMap((line) => line.slice(j, j + factor))
      .filter(Number.isFinite);
    return part.length === 0 ? Number.NaN : part.reduce((sum, value) => sum + value, 0) / part.length;
  };
  return {
    rows: starts(block.rows.length).map((i) => block.rows[i] ?? ''),
    columns: starts(block.columns.length).map((j) => block.columns[j] ?? ''),
    values: starts(block.rows.length).map((i) => starts(block.columns.length).map((j) => mean(i, j))),
  };
}

/** 1 when every cell is drawn; n when a drawn cell is the mean of n × n. */
export function poolFactor(block: HeatMapBlock): number {
  return Math.ceil(Math.max(block.rows.length, block.columns.length, 1) / maxCells);
}

function describe(block: HeatMapBlock): string {
  const [low, high] = extent(block.values.flat()) ?? [Number.NaN, Number.NaN];
  return `Heat map of ${block.rows.length} rows (${block.rowTitle}) by ${block.columns.length} columns (${block.columnTitle}), values from ${formatNumber(low)} to ${formatNumber(high)}.`;
}

/** The same numbers as a table, of the cells that are drawn. */
export function heatMapTable(block: HeatMapBlock): TableBlock {
  const { rows, columns, values } = pool(block);
  const factor = poolFactor(block);
  const digits = block.digits === undefined ? {} : { digits: block.digits };
  return {
    kind: 'table',
    title: block.title,
    columns: [
      { title: `${block.rowTitle} \\ ${block.columnTitle}` },
      ...columns.map((title) => ({ title, align: 'right' as const, ...digits })),
    ],
    rows: rows.map((name, i) => [name, ...(values[i] ?? [])]),
    ...(factor > 1
      ? { note: `Means of ${factor} × ${factor} cells. The JSON file of the report has all of them.` }
      : {}),
  };
}
