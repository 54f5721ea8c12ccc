import { linearAxis, shorten, svg, textWidth, xAxisMarkup, yAxisMarkup, type Frame, type Plot } from './axes.ts';
import type { ScatterAxis, ScatterChartBlock, ScatterPoint, TableBlock } from './document.ts';
import { formatValue, titleWithUnit } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { seriesStyle } from './palette.ts';

const fontSize = 11.5;
const lineHeight = 14;
const radius = 4.5;

/** Points with their names beside them and thin lines for intervals; names keep clear of each other and of the points. */
export function scatterChart(block: ScatterChartBlock, frame: Frame): Markup {
  const isNarrow = frame.width < 480;
  const height = isNarrow ? 290 : 350;
  const [top, bottom] = [30, height - 48];
  const drawn = block.series.flatMap(({ points }, index) =>
    points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)).map((point) => ({ point, index })),
  );
  const values = (at: (point: ScatterPoint) => number, ends: (point: ScatterPoint) => readonly number[]): number[] =>
    drawn.flatMap(({ point }) => [at(point), ...ends(point)]);
  const xs = values(
    ({ x }) => x,
    ({ xInterval = [] }) => xInterval,
  );
  const ys = values(
    ({ y }) => y,
    ({ yInterval = [] }) => yInterval,
  );
  const y = linearAxis({ values: ys, range: [bottom, top], count: 5, nice: true, ...endsOf(block.y) });
  const left = Math.max(...y.ticks.map(({ label }) => textWidth(label)), 12) + 10;
  const plot: Plot = { width: frame.width, height, left, right: frame.width - 8, top, bottom };
  const x = linearAxis({
    values: xs,
    range: [left + radius, plot.right],
    count: isNarrow ? 5 : 8,
    nice: true,
    ...endsOf(block.x),
  });
  const placed = drawn.map(({ point, index }) => ({
    point,
    index,
    at: [x.at(point.x), y.at(point.y)] as const,
    reach: [
      point.xInterval ? x.at(point.xInterval[0]) : x.at(point.x),
      point.xInterval ? x.at(point.xInterval[1]) : x.at(point.x),
    ] as const,
    span: [
      point.yInterval ? y.at(point.yInterval[1]) : y.at(point.y),
      point.yInterval ? y.at(point.yInterval[0]) : y.at(point.y),
    ] as const,
  }));
  const labels = placeLabels(placed, plot, isNarrow ? 170 : 300);
  const marks = placed.map(({ point, index, at: [cx, cy] }) => {
    const { className } = seriesStyle(index);
    const [h, v] = [point.xInterval, point.yInterval];
    return markup`${h && markup`<path class="whisker" d="M${x.at(h[0])} ${cy}H${x.at(h[1])}M${x.at(h[0])} ${cy - 3}v6M${x.at(h[1])} ${cy - 3}v6"/>`}${
      v &&
      markup`<path class="whisker" d="M${cx} ${y.at(v[0])}V${y.at(v[1])}M${cx - 3} ${y.at(v[0])}h6M${cx - 3} ${y.at(v[1])}h6"/>`
    }<path class="dot ${className}" d="${markerPath(index, cx, cy, radius)}"><title>${`${point.label}: ${pointText(block, point)}`}</title></path>`;
  });
  const content = markup`${yAxisMarkup(y, plot, block.y.title, block.y.unit)}${xAxisMarkup(x, plot, titleWithUnit(block.x.title, block.x.unit))}${marks}${labels}${
    placed.length === 0 &&
    markup`<text class="tick" x="${(plot.left + plot.right) / 2}" y="${(top + bottom) / 2}" text-anchor="middle">No data</text>`
  }`;
  return svg(frame, height, block.title, describe(block), content);
}

const endsOf = ({ unit, min, max }: ScatterAxis): Pick<ScatterAxis, 'unit' | 'min' | 'max'> => ({
  ...(unit === undefined ? {} : { unit }),
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});

/** A shape of its own for each series, so that colour is not all that tells them apart. */
export function markerPath(index: number, x: number, y: number, r: number): string {
  switch (index % 4) {
    case 0:
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    case 1:
      return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`;
    case 2:
      return `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}Z`;
    default:
      return `M${x} ${y - 1.2 * r}L${x + 1.2 * r} ${y + r}H${x - 1.2 * r}Z`;
  }
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface PlacedPoint {
  readonly point: ScatterPoint;
  readonly at: readonly [number, number];
  /** Ends of the intervals in the drawing, or the point twice: left and right, top and bottom. */
  readonly reach: readonly [number, number];
  readonly span: readonly [number, number];
}

/** Greedy: each name takes the nearest free place around its point; one that lies further off gets a line to it. */
function placeLabels(points: readonly PlacedPoint[], plot: Plot, widest: number): readonly Markup[] {
  const marks: readonly Box[] = points.flatMap(({ at: [x, y], reach, span }) => [
    around(x, y, radius + 1, radius + 1),
    { left: reach[0] - 1, right: reach[1] + 1, top: y - 4, bottom: y + 4 },
    { left: x - 4, right: x + 4, top: span[0] - 1, bottom: span[1] + 1 },
  ]);
  const taken: Box[] = [];
  const isClear = (box: Box, others: readonly Box[]): boolean => !others.some((other) => isOverlapping(box, other));
  return points.map((own) => {
    const {
      point,
      at: [x, y],
    } = own;
    const choices = [widest, 0.65 * widest].map((room) => {
      const detail = point.detail === undefined ? [] : [shorten(point.detail, widest, fontSize)];
      const lines = [shorten(point.label, room, fontSize), ...detail];
      return { lines, places: placesOf(own, lines, plot) };
    });
    const found =
      choices.flatMap(({ lines, places }) => {
        const free = places.find(({ box }) => isClear(box, [...taken, ...marks]));
        return free ? [{ lines, ...free }] : [];
      })[0] ??
      // Where there is no room, names may lie on marks, but not on each other.
      choices.flatMap(({ lines, places }) => {
        const free = places.find(({ box }) => isClear(box, taken)) ?? places[0];
        return free ? [{ lines, ...free }] : [];
      })[0];
    if (!found) return markup``;
    const { lines, away, box } = found;
    taken.push(box);
    const near = [clamp(x, box.left, box.right), clamp(y, box.top, box.bottom)] as const;
    return markup`${
      away > 0 && markup`<line class="grid" x1="${x}" y1="${y}" x2="${near[0]}" y2="${near[1]}"/>`
    }${lines.map(
      (line, i) =>
        markup`<text class="${i === 0 ? 'reference-label' : 'tick'}" x="${box.left}" y="${box.top + 11 + i * lineHeight}">${line}</text>`,
    )}`;
  });
}

/** Where a name may stand, the nearest first. */
function placesOf(
  { at: [x, y], reach: [from, to] }: PlacedPoint,
  lines: readonly string[],
  plot: Plot,
): readonly { readonly away: number; readonly box: Box }[] {
  const width = Math.max(...lines.map((line) => textWidth(line, fontSize)));
  const height = lines.length * lineHeight;
  return [0, 18, 36, 54]
    .flatMap((away) =>
      [
        [x + 9 + away / 3, y - 4 - height - away],
        [x - 9 - away / 3 - width, y - 4 - height - away],
        [Math.max(x + radius, to) + 5, y - height / 2 - away],
        [Math.min(x - radius, from) - 5 - width, y - height / 2 - away],
        [x + 9 + away / 3, y + 4 + away],
        [x - 9 - away / 3 - width, y + 4 + away],
        [x - width / 2, y - 9 - away - height],
        [x - width / 2, y + 9 + away],
      ].map(([left = 0, top = 0]) => ({ away, box: { left, top, right: left + width, bottom: top + height } })),
    )
    .filter(
      ({ box }) => box.left >= plot.left && box.right <= plot.width && box.top >= 14 && box.bottom <= plot.bottom,
    );
}

const around = (x: number, y: number, dx: number, dy: number): Box => ({
  left: x - dx,
  top: y - dy,
  right: x + dx,
  bottom: y + dy,
});

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

const isOverlapping = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const pointText = ({ x, y }: ScatterChartBlock, point: ScatterPoint): string =>
  `${x.title} ${formatValue(point.x, x.unit ?? '1')}, ${y.title} ${formatValue(point.y, y.unit ?? '1')}`;

function describe(block: ScatterChartBlock): string {
  const parts = block.series.flatMap(({ points }) =>
    points.map((point) => `${point.label}: ${pointText(block, point)}`),
  );
  return `Scatter chart of ${block.y.title} against ${block.x.title}. ${parts.join('; ')}.`;
}

/** The same numbers as a table, one row a point; intervals get two columns of their own. */
export function scatterTable(block: ScatterChartBlock): TableBlock {
  const rows = block.series.flatMap(({ name, points }) => points.map((point) => ({ name, point })));
  const hasDetail = rows.some(({ point }) => point.detail !== undefined);
  const axes = [
    { axis: block.x, of: ({ x, xInterval }: ScatterPoint) => [x, xInterval] as const },
    { axis: block.y, of: ({ y, yInterval }: ScatterPoint) => [y, yInterval] as const },
  ].map((each) => ({ ...each, hasInterval: rows.some(({ point }) => each.of(point)[1] !== undefined) }));
  const columns = axes.flatMap(({ axis: { title, unit }, hasInterval }) =>
    (hasInterval ? [title, `${title}, low`, `${title}, high`] : [title]).map((name) => ({
      title: name,
      ...(unit === undefined ? {} : { unit }),
      align: 'right' as const,
    })),
  );
  const isSplit = block.series.length > 1;
  return {
    kind: 'table',
    title: block.title,
    columns: [
      { title: 'Point' },
      ...(hasDetail ? [{ title: 'Detail' }] : []),
      ...(isSplit ? [{ title: 'Series' }] : []),
      ...columns,
    ],
    rows: rows.map(({ name, point }) => [
      point.label,
      ...(hasDetail ? [point.detail ?? ''] : []),
      ...(isSplit ? [name] : []),
      ...axes.flatMap(({ of, hasInterval }) => {
        const [value, interval] = of(point);
        return hasInterval ? [value, interval?.[0] ?? null, interval?.[1] ?? null] : [value];
      }),
    ]),
  };
}
