import type { Frame } from './axes.ts';
import { barChart, barTable } from './bar-chart.ts';
import type { FigureBlock, LineChartBlock, ReportBlock, TableBlock } from './document.ts';
import { formatValue } from './format.ts';
import { heatMap, heatMapTable, poolFactor } from './heat-map.ts';
import { imageMarkup } from './image.ts';
import { lineChart, lineTable } from './line-chart.ts';
import { markup, type Content, type Markup } from './markup.ts';
import { seriesStyle } from './palette.ts';
import { inline, prose } from './prose.ts';
import { markerPath, scatterChart, scatterTable } from './scatter-chart.ts';
import { tableMarkup } from './table.ts';

const fullWidth = 820;
const narrowWidth = 394;

/** Numbers figures and tables in the order in which they are asked for. */
export interface Counter {
  next(kind: 'Figure' | 'Table'): number;
}

export function newCounter(): Counter {
  const counts = { Figure: 0, Table: 0 };
  return { next: (kind) => ++counts[kind] };
}

/** Blocks in their order; neighbours of half size stand in pairs. */
export function blocksMarkup(blocks: readonly ReportBlock[], counter: Counter): Markup {
  const parts: Markup[] = [];
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    const next = blocks[i + 1];
    if (block === undefined) continue;
    if (isHalf(block) && next !== undefined && isHalf(next)) {
      parts.push(markup`<div class="pair">${blockMarkup(block, counter)}${blockMarkup(next, counter)}</div>`);
      i++;
    } else {
      parts.push(blockMarkup(block, counter));
    }
  }
  return markup`${parts}`;
}

function isHalf(block: ReportBlock): boolean {
  return 'size' in block && block.size === 'half';
}

function blockMarkup(block: ReportBlock, counter: Counter): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<div class="prose">${prose(block.text)}</div>`;
    case 'notice':
      return notice(block.level, prose(block.text));
    case 'code':
      return markup`<pre class="code">${block.text}</pre>`;
    case 'table': {
      const number = counter.next('Table');
      return markup`<figure class="table" id="table-${number}">${caption(`Table ${number}`, block)}${tableMarkup(block)}${note(block)}</figure>`;
    }
    case 'image': {
      const number = counter.next('Figure');
      return markup`<figure id="figure-${number}">${caption(`Figure ${number}`, block)}${imageMarkup(block, `figure-${number}`)}${note(block)}</figure>`;
    }
    case 'line':
      return chart(block, counter, {
        legend: lineLegend(block),
        draw: (frame) => lineChart(block, frame),
        twin: lineTable(block),
      });
    case 'bar':
      return chart(block, counter, {
        legend:
          block.series.length > 1 &&
          legendMarkup(block.series.map(({ name }, index) => ({ name, swatch: barSwatch(index), value: '' }))),
        draw: (frame) => barChart(block, frame),
        twin: barTable(block),
      });
    case 'scatter':
      return chart(block, counter, {
        legend:
          block.series.length > 1 &&
          legendMarkup(block.series.map(({ name }, index) => ({ name, swatch: markerSwatch(index), value: '' }))),
        draw: (frame) => scatterChart(block, frame),
        twin: scatterTable(block),
      });
    case 'heat-map': {
      const factor = poolFactor(block);
      return chart(block, counter, {
        legend: factor > 1 && markup`<p class="note">Each cell is the mean of ${factor} × ${factor}.</p>`,
        draw: (frame) => heatMap(block, frame),
        twin: heatMapTable(block),
      });
    }
  }
}

export function notice(level: 'info' | 'warning', content: Content): Markup {
  const [name, className] = level === 'warning' ? ['Warning', 'notice warning'] : ['Note', 'notice'];
  return markup`<div class="${className}" role="note"><strong class="notice-name">${name}</strong><div>${content}</div></div>`;
}

interface Drawing {
  readonly legend: Content;
  readonly draw: (frame: Frame) => Markup;
  readonly twin: TableBlock;
}

/** Drawn twice, for a wide and a narrow page, since text in a drawing shrinks with it; the style sheet shows one. */
function chart(block: FigureBlock, counter: Counter, drawing: Drawing): Markup {
  const number = counter.next('Figure');
  const narrow = drawing.draw({ width: narrowWidth, id: `f${number}n` });
  const drawn =
    block.size === 'half'
      ? narrow
      : markup`<div class="wide">${drawing.draw({ width: fullWidth, id: `f${number}w` })}</div><div class="narrow">${narrow}</div>`;
  return markup`<figure id="figure-${number}">${caption(`Figure ${number}`, block)}${drawing.legend}${drawn}${note(block)}<details class="twin"><summary>Figure ${String(number)} as a table</summary>${tableMarkup(drawing.twin)}${note(drawing.twin)}</details></figure>`;
}

function caption(number: string, block: FigureBlock): Markup {
  return markup`<figcaption><span class="figure-number">${number}</span> ${block.title}</figcaption>`;
}

function note(block: { readonly note?: string }): Markup | false {
  return block.note !== undefined && markup`<p class="note">${inline(block.note)}</p>`;
}

interface LegendEntry {
  readonly name: string;
  readonly swatch: Markup;
  readonly value: string;
}

function legendMarkup(entries: readonly LegendEntry[]): Markup {
  return markup`<ul class="legend">${entries.map(
    ({ name, swatch, value }) =>
      markup`<li>${swatch}<span>${name}</span>${value !== '' && markup`<span class="legend-value">${value}</span>`}</li>`,
  )}</ul>`;
}

/** Each curve with its last value, which is what most readers look for. */
function lineLegend(block: LineChartBlock): Markup | false {
  if (block.series.length === 0) return false;
  return legendMarkup(
    block.series.map(({ name, points }, index) => {
      const { className, dash } = seriesStyle(index);
      const last = points.findLast(([, value]) => Number.isFinite(value));
      return {
        name,
        swatch: markup`<svg class="swatch" width="22" height="10" aria-hidden="true"><path class="curve ${className}" d="M0 5H22"${dash !== '' && markup` stroke-dasharray="${dash}"`}/></svg>`,
        value: last === undefined ? '' : formatValue(last[1], block.y.unit ?? '1'),
      };
    }),
  );
}

function barSwatch(index: number): Markup {
  return markup`<svg class="swatch" width="12" height="12" aria-hidden="true"><rect class="bar ${seriesStyle(index).className}" width="12" height="12" rx="1"/></svg>`;
}

function markerSwatch(index: number): Markup {
  return markup`<svg class="swatch" width="14" height="14" aria-hidden="true"><path class="dot ${seriesStyle(index).className}" d="${markerPath(index, 7, 7, 4.5)}"/></svg>`;
}
