import { barChart } from '../../core/report/bar-chart.ts';
import { lineChart } from '../../core/report/line-chart.ts';
import { escapeHtml, toText } from '../../core/report/markup.ts';
import { seriesStyle } from '../../core/report/palette.ts';
import { tokens } from '../app/tokens.ts';
import type { Curve } from './families.ts';

interface Drawn {
  readonly title: string;
  readonly xTitle: string;
  readonly curves: readonly Curve[];
  readonly isLog: boolean;
}

const width = 720;
const legendLine = 18;
const font = "Inter, 'Liberation Sans', Arial, sans-serif";

/** A chart as a file of its own, on white, as the reports draw it, with its legend. */
export function chartSvg({ title, xTitle, curves, isLog }: Drawn): string {
  const block = {
    kind: 'line' as const,
    title,
    x: { title: xTitle },
    y: { title, log: isLog },
    series: curves.map(({ label, points }) => ({ name: label, points })),
  };
  const legend = curves.length > 1 ? curves.map(legendEntry).join('') : '';
  return alone(toText(lineChart(block, { width, id: 'chart' })), legend, curves.length > 1 ? curves.length : 0);
}

export interface Bars {
  readonly title: string;
  /** What the bars are long of. */
  readonly yTitle: string;
  readonly categories: readonly string[];
  readonly values: readonly number[];
}

/** The same for bars of one kind. */
export function barsSvg({ title, yTitle, categories, values }: Bars): string {
  const block = { kind: 'bar' as const, title, y: { title: yTitle }, categories, series: [{ name: yTitle, values }] };
  return alone(toText(barChart(block, { width, id: 'chart' })), '', 0);
}

/** A drawing of the reports as a file, with the entries of its legend above it. */
function alone(drawn: string, legend: string, lines: number): string {
  const height = Number(/viewBox="0 0 [\d.]+ ([\d.]+)"/.exec(drawn)?.[1] ?? 310);
  const above = lines > 0 ? lines * legendLine + 8 : 0;
  const inner = drawn.replace(/^<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + above}" ` +
    `viewBox="0 0 ${width} ${height + above}" font-family="${escapeHtml(font)}">` +
    `<style>${style}</style><rect width="100%" height="100%" fill="#fff"/>${legend}` +
    `<g transform="translate(0 ${above})">${inner}</g></svg>\n`
  );
}

function legendEntry({ label }: Curve, index: number): string {
  const { className, dash } = seriesStyle(index);
  const y = 14 + index * legendLine;
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  return (
    `<line class="curve ${className}" x1="8" x2="28" y1="${y - 4}" y2="${y - 4}"${dashes}/>` +
    `<text class="tick" x="34" y="${y}">${escapeHtml(label)}</text>`
  );
}

const { light } = tokens;
const style = [
  ...light.series.map((colour, i) => `.s${i + 1}.curve{stroke:${colour}}.s${i + 1}.dot,.s${i + 1}.bar{fill:${colour}}`),
  '.curve{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}',
  `.grid{stroke:${light.hair}}.axis{stroke:${light.muted}}`,
  `.reference{stroke:${light.muted};stroke-dasharray:5 4}`,
  `.tick,.axis-title,.reference-label{fill:${light.muted};font-size:12px}`,
  `.bar-value{fill:${light.ink};font-size:11px}`,
].join('');
