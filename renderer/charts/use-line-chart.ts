import {
  Chart,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
  type ChartConfiguration,
  type ChartDataset,
} from 'chart.js';
import { useEffect, useRef, type RefObject } from 'react';
import { formatNumber } from '../../core/report/format.ts';
import { useThemeMode } from '../app/settings.ts';
import { fonts, tokens, type Tokens } from '../app/tokens.ts';
import type { Curve } from './families.ts';
import { inTurn } from './in-turn.ts';

Chart.register(LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip);

type Points = { x: number; y: number }[];
type Drawn = Chart<'line', Points>;

interface Plot {
  readonly curves: readonly Curve[];
  readonly xTitle: string;
  readonly isLog: boolean;
}

const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3]];
const dotsUpTo = 30;

/** Draws curves on a canvas while there is one, each time in a frame of its own. */
export function useLineChart(canvas: RefObject<HTMLCanvasElement | null>, plot: Plot, isShown: boolean): void {
  const { curves, xTitle, isLog } = plot;
  const chart = useRef<Drawn | undefined>(undefined);
  const latest = useRef(curves);
  const t = tokens[useThemeMode()];
  const isFromZero = startsAtZero(curves);
  const hasMany = curves.length > 1;
  const lonely = onlyStep(curves);

  useEffect(() => {
    latest.current = curves;
    // What is yet to be made is made of the latest.
    if (!chart.current) return undefined;
    return inTurn(() => {
      if (!chart.current) return;
      chart.current.data.datasets = datasetsOf(curves, t);
      chart.current.update('none');
    });
  }, [curves, t]);

  useEffect(() => {
    if (!isShown) return undefined;
    const takeBack = inTurn(() => {
      if (!canvas.current) return;
      const options = optionsOf({ t, xTitle, isLog, isFromZero, hasMany, lonely });
      const data = { datasets: datasetsOf(latest.current, t) };
      chart.current = new Chart<'line', Points>(canvas.current, { type: 'line', data, options });
    });
    return () => {
      takeBack();
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [canvas, isShown, isLog, isFromZero, hasMany, lonely, t, xTitle]);
}

function datasetsOf(curves: readonly Curve[], t: Tokens): ChartDataset<'line', Points>[] {
  return curves.map(({ label, points }, index) => {
    const colour = t.series[index % t.series.length] ?? t.accent;
    return {
      label,
      // A few points are dots too: a single one would not be seen as a line.
      pointRadius: points.length <= dotsUpTo ? 2 : 0,
      data: points.map(([x, y]) => ({ x, y })),
      borderColor: colour,
      backgroundColor: colour,
      borderDash: [...(dashes[Math.floor(index / t.series.length) % dashes.length] ?? [])],
    };
  });
}

interface Look {
  readonly t: Tokens;
  readonly xTitle: string;
  readonly isLog: boolean;
  readonly isFromZero: boolean;
  readonly hasMany: boolean;
  /** The only step that there is yet. */
  readonly lonely: number | undefined;
}

function optionsOf(look: Look): NonNullable<ChartConfiguration<'line', Points>['options']> {
  const { t, xTitle, isLog, isFromZero, hasMany, lonely } = look;
  const font = { family: fonts.sans, size: 11 };
  const axis = {
    border: { color: t.rule },
    grid: { color: t.hair, tickLength: 4 },
    ticks: { color: t.muted, font, maxRotation: 0, autoSkipPadding: 16 },
  };
  return {
    animation: false,
    parsing: false,
    normalized: true,
    responsive: true,
    maintainAspectRatio: false,
    clip: 4,
    interaction: { mode: 'nearest', axis: 'x', intersect: false },
    elements: { point: { radius: 0, hoverRadius: 3, hitRadius: 8 }, line: { borderWidth: 1.5, tension: 0 } },
    scales: {
      x: {
        ...axis,
        type: 'linear',
        // One point alone stands at the left, where its curve will begin, not between steps that there are not.
        ...(lonely === undefined ? {} : { min: lonely, max: lonely + 1 }),
        ticks: { ...axis.ticks, precision: 0 },
        title: { display: true, text: xTitle, color: t.muted, font },
      },
      y: isLog ? { ...axis, type: 'logarithmic' } : { ...axis, type: 'linear', grace: '5%', beginAtZero: isFromZero },
    },
    plugins: {
      tooltip: {
        displayColors: hasMany,
        backgroundColor: t.ink,
        titleColor: t.paper,
        bodyColor: t.paper,
        titleFont: font,
        bodyFont: font,
        animation: false,
        callbacks: {
          title: ([item]) => (item ? `${xTitle} ${formatNumber(item.parsed.x)}` : ''),
          label: (item) => `${item.dataset.label ?? ''} ${formatNumber(item.parsed.y)}`,
        },
      },
    },
  };
}

/** What is never negative is not drawn below 0 for the sake of some air. */
function startsAtZero(curves: readonly Curve[]): boolean {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { points } of curves) {
    for (const [, value] of points) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low >= 0 && low < 0.05 * (high - low);
}

function onlyStep(curves: readonly Curve[]): number | undefined {
  const steps = new Set(curves.flatMap(({ points }) => points.slice(0, 2).map(([step]) => step)));
  const [step] = steps;
  return steps.size === 1 ? step : undefined;
}
