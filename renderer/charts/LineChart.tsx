import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import ToggleButton from '@mui/material/ToggleButton';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import {
  Chart,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip as ChartTooltip,
} from 'chart.js';
import { useEffect, useRef, useState } from 'react';
import { formatNumber } from '../../core/report/format.ts';
import { useThemeMode } from '../app/settings.ts';
import { fonts, tokens } from '../app/tokens.ts';
import { Icon } from '../icons/Icon.tsx';
import { csvText, saveCanvas, saveText } from '../panels/save.ts';
import { tableOf } from './families.ts';
import { SaveMenu } from './SaveMenu.tsx';

Chart.register(LinearScale, LineController, LineElement, LogarithmicScale, PointElement, ChartTooltip);

export interface Curve {
  readonly label: string;
  readonly points: readonly (readonly [number, number])[];
}

interface LineChartProps {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly xTitle: string;
  readonly fileName: string;
  readonly height?: number;
}

const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3]];
const tableRows = 200;
const dotsUpTo = 30;

/** Lines over steps, as a picture or as a table; at most 2,000 points a line, so that a redraw stays cheap. */
export function LineChart({ title, curves, xTitle, fileName, height = 220 }: LineChartProps) {
  const [isLog, setLog] = useState(false);
  const [isTable, setTable] = useState(false);
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<Chart<'line', { x: number; y: number }[]> | undefined>(undefined);
  const mode = useThemeMode();
  const t = tokens[mode];
  const canLog = curves.every(({ points }) => points.every(([, value]) => value > 0));
  const logScale = isLog && canLog;
  const isFromZero = startsAtZero(curves);

  useEffect(() => {
    if (isTable || !canvas.current) return undefined;
    const axis = {
      border: { color: t.rule },
      grid: { color: t.hair, tickLength: 4 },
      ticks: { color: t.muted, font: { family: fonts.sans, size: 11 }, maxRotation: 0, autoSkipPadding: 16 },
    };
    const made = new Chart<'line', { x: number; y: number }[]>(canvas.current, {
      type: 'line',
      data: { datasets: [] },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        elements: { point: { radius: 0, hoverRadius: 3, hitRadius: 8 }, line: { borderWidth: 1.5, tension: 0 } },
        scales: {
          x: {
            ...axis,
            type: 'linear',
            ticks: { ...axis.ticks, precision: 0 },
            title: { display: true, text: xTitle, color: t.muted, font: { family: fonts.sans, size: 11 } },
          },
          y: logScale
            ? { ...axis, type: 'logarithmic' }
            : { ...axis, type: 'linear', grace: '5%', beginAtZero: isFromZero },
        },
        plugins: {
          tooltip: {
            displayColors: curves.length > 1,
            backgroundColor: t.ink,
            titleColor: t.paper,
            bodyColor: t.paper,
            titleFont: { family: fonts.sans, size: 11 },
            bodyFont: { family: fonts.sans, size: 11 },
            animation: false,
            callbacks: {
              title: ([item]) => (item ? `${xTitle} ${formatNumber(item.parsed.x)}` : ''),
              label: (item) => `${item.dataset.label ?? ''} ${formatNumber(item.parsed.y)}`,
            },
          },
        },
      },
    });
    chart.current = made;
    return () => {
      chart.current = undefined;
      made.destroy();
    };
    // The curves come by the effect below; making the chart anew for each of them would flicker.
  }, [isTable, logScale, isFromZero, mode, t, xTitle, curves.length]);

  useEffect(() => {
    const made = chart.current;
    if (!made) return;
    made.data.datasets = curves.map(({ label, points }, index) => ({
      label,
      // A few points are dots too: a single one would not be seen as a line.
      pointRadius: points.length <= dotsUpTo ? 2 : 0,
      data: points.map(([x, y]) => ({ x, y })),
      borderColor: t.series[index % t.series.length] ?? t.accent,
      backgroundColor: t.series[index % t.series.length] ?? t.accent,
      borderDash: [...(dashes[Math.floor(index / t.series.length) % dashes.length] ?? [])],
    }));
    made.update('none');
  }, [curves, isTable, logScale, isFromZero, mode, t, xTitle]);

  const table = (): ReturnType<typeof tableOf> => tableOf(curves);
  const saveCsv = (): void => {
    const { head, rows } = table();
    saveText(`${fileName}.csv`, csvText([head, ...rows]), 'text/csv');
  };
  const saveSvg = (): void => {
    // What draws it is of the reports, and is loaded when it is asked for.
    void import('./svg.ts').then(({ chartSvg }) => {
      saveText(`${fileName}.svg`, chartSvg({ title, xTitle, curves, isLog: logScale }), 'image/svg+xml');
    });
  };
  const savePng = (): void => {
    if (canvas.current) saveCanvas(`${fileName}.png`, canvas.current, t.paper);
  };
  return (
    <Box component="figure" sx={{ m: 0, minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 0.5, minHeight: 30 }}>
        <Typography variant="h3" component="figcaption" sx={{ mr: 'auto' }}>
          {title}
        </Typography>
        <ToggleButton
          value="log"
          size="small"
          selected={logScale}
          disabled={!canLog || isTable}
          onChange={() => setLog(!isLog)}
          sx={{ py: 0, px: 1, height: 24, border: 0 }}
        >
          log
        </ToggleButton>
        <Tooltip title={isTable ? 'Show the chart' : 'Show as a table'}>
          <IconButton aria-label={isTable ? 'Show the chart' : 'Show as a table'} onClick={() => setTable(!isTable)}>
            <Icon name={isTable ? 'image' : 'table'} sx={{ fontSize: 16 }} />
          </IconButton>
        </Tooltip>
        <SaveMenu
          title={title}
          choices={[
            ['CSV, the numbers', saveCsv],
            ['PNG, as on the screen', isTable ? undefined : savePng],
            ['SVG, for print', saveSvg],
          ]}
        />
      </Box>
      {curves.length > 1 && <Legend curves={curves} colours={t.series} />}
      <Box sx={{ position: 'relative', height, overflow: 'auto' }}>
        {isTable ? (
          <Twin {...table()} />
        ) : (
          <canvas ref={canvas} role="img" aria-label={`${title}: ${describe(curves)}`} />
        )}
      </Box>
    </Box>
  );
}

/** What is never negative is not drawn below 0 for the sake of some air. */
function startsAtZero(curves: readonly Curve[]): boolean {
  const values = curves.flatMap(({ points }) => points.map(([, value]) => value));
  if (values.length === 0) return false;
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return low >= 0 && low < 0.05 * (high - low);
}

function Legend({ curves, colours }: { readonly curves: readonly Curve[]; readonly colours: readonly string[] }) {
  return (
    <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: '2px 14px', mb: 0.5, fontSize: '0.75rem' }}>
      {curves.map(({ label }, index) => (
        <Box key={label} sx={{ display: 'flex', alignItems: 'center', gap: 0.75 }}>
          <Box sx={{ width: 14, height: 2, bgcolor: colours[index % colours.length] }} />
          {label}
        </Box>
      ))}
    </Box>
  );
}

function Twin({ head, rows }: ReturnType<typeof tableOf>) {
  const stride = Math.max(1, Math.ceil(rows.length / tableRows));
  const shown = rows.filter((_, index) => index % stride === 0 || index === rows.length - 1);
  return (
    <Table size="small" stickyHeader>
      <TableHead>
        <TableRow>
          {head.map((name) => (
            <TableCell key={name} align="right">
              {name}
            </TableCell>
          ))}
        </TableRow>
      </TableHead>
      <TableBody>
        {shown.map((row) => (
          <TableRow key={row[0]}>
            {row.map((value, column) => (
              <TableCell key={head[column]} align="right">
                {value === undefined ? '' : formatNumber(value)}
              </TableCell>
            ))}
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}

function describe(curves: readonly Curve[]): string {
  return curves
    .map(({ label, points }) => {
      const [first, last] = [points[0], points.at(-1)];
      if (!first || !last) return `${label} without points`;
      return `${label} from ${formatNumber(first[1])} to ${formatNumber(last[1])}`;
    })
    .join('; ');
}
