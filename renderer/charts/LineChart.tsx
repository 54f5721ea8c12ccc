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
import { memo, useRef, useState } from 'react';
import { formatNumber } from '../../core/report/format.ts';
import { useThemeMode } from '../app/settings.ts';
import { tokens } from '../app/tokens.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { csvText, followLink, saveCanvas, saveText } from '../panels/save.ts';
import { tableOf, type Curve } from './families.ts';
import { SaveMenu } from './SaveMenu.tsx';
import { useLineChart } from './use-line-chart.ts';

interface LineChartProps {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly xTitle: string;
  readonly fileName: string;
  readonly height?: number;
}

const tableRows = 200;

/** Lines over steps, as a picture or as a table; at most 2,000 points a line, so that a redraw stays cheap. */
export const LineChart = memo(function LineChart(props: LineChartProps) {
  const { title, curves, xTitle, fileName, height = 220 } = props;
  const [isLog, setLog] = useState(false);
  const [isTable, setTable] = useState(false);
  const canvas = useRef<HTMLCanvasElement>(null);
  const t = tokens[useThemeMode()];
  const canLog = curves.every(({ points }) => points.every(([, value]) => value > 0));
  const logScale = isLog && canLog;
  useLineChart(canvas, { curves, xTitle, isLog: logScale }, !isTable);

  const bridge = useBridge();
  const { error, run } = useAction();
  const table = (): ReturnType<typeof tableOf> => tableOf(curves, xTitle);
  const saveCsv = (): void => {
    const stored = curves.flatMap(({ label, source }) => (source ? [{ ...source, label }] : []));
    // What the chart holds may be thinned out; the host has every point.
    if (stored.length > 0 && stored.length === curves.length) {
      const target = { kind: 'series' as const, title: fileName, xTitle, curves: stored };
      run(async () => followLink((await bridge.request('links.create', target)).url));
      return;
    }
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
            <Icon name={isTable ? 'image' : 'table'} sx={{ fontSize: '1rem' }} />
          </IconButton>
        </Tooltip>
        <SaveMenu
          title={title}
          choices={[
            ['CSV, every point', saveCsv],
            ['PNG, as on the screen', isTable ? undefined : savePng],
            ['SVG, for print', saveSvg],
          ]}
        />
      </Box>
      {error && <ErrorNote error={error} />}
      {curves.length > 1 && <Legend curves={curves} colours={t.series} />}
      <Box sx={{ position: 'relative', height }}>
        {isTable ? (
          <Box role="region" aria-label={`${title}, as a table`} tabIndex={0} sx={{ height, overflow: 'auto' }}>
            <Twin {...table()} />
          </Box>
        ) : (
          <canvas ref={canvas} role="img" aria-label={`${title}: ${describe(curves)}`} />
        )}
      </Box>
    </Box>
  );
});

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
      {shown.length < rows.length && (
        <Box component="caption" sx={{ fontSize: '0.75rem', color: 'text.secondary', p: 0.5 }}>
          {formatNumber(shown.length)} rows spread over the curve; its CSV has every point.
        </Box>
      )}
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
