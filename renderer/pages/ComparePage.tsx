import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import Typography from '@mui/material/Typography';
import { useEffect, useState } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import type { RequestResult } from '../../core/contract/bridge.ts';
import type { RunDetails } from '../../core/contract/history.ts';
import { hrefOf } from '../app/routes.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { LineChart } from '../charts/LineChart.tsx';
import { differences, figures, type ComparedRow } from '../panels/compare.ts';
import { CopyButton } from '../panels/CopyButton.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Page, Section } from '../panels/Page.tsx';
import { PageSkeleton } from '../panels/PageSkeleton.tsx';
import { PictureGrid } from '../panels/PictureGrid.tsx';
import { formatWhen, humanise, runTitle, specOf } from '../panels/run-text.ts';
import { csvText } from '../panels/save.ts';
import { StateMark } from '../panels/StateMark.tsx';

interface Loaded {
  readonly runs: readonly RunDetails[];
  readonly series: readonly RequestResult<'runs.series'>[];
}

/** A few runs next to each other: what differs, what came out, curves and pictures. */
export function ComparePage({ runIds }: { readonly runIds: readonly string[] }) {
  const bridge = useBridge();
  const [loaded, setLoaded] = useState<Loaded | undefined>(undefined);
  const [error, setError] = useState<WorkbenchError | undefined>(undefined);
  const key = runIds.join(',');
  useEffect(() => {
    let isCurrent = true;
    const ids = key.split(',');
    const runs = Promise.all(ids.map(async (runId) => bridge.request('runs.get', { runId })));
    const series = Promise.all(ids.map(async (runId) => bridge.request('runs.series', { runId, maxPoints: 1000 })));
    Promise.all([runs, series]).then(
      ([gotRuns, gotSeries]) => isCurrent && setLoaded({ runs: gotRuns, series: gotSeries }),
      (thrown: unknown) => isCurrent && setError(toWorkbenchError(thrown)),
    );
    return () => {
      isCurrent = false;
    };
  }, [bridge, key]);

  if (!loaded) {
    if (!error) return <PageSkeleton />;
    return (
      <Page title="Compare">
        <ErrorNote error={error} />
      </Page>
    );
  }
  const records = loaded.runs.map(({ record }) => record);
  const labels = loaded.runs.map((_, index) => letter(index));
  const asked = differences(records);
  const came = figures(records);
  const names = [...new Set(loaded.series.flatMap((each) => Object.keys(each)))];
  const methodIds = records.map(({ request }) => request.methodId);
  const pictureTitles = new Map(
    records.flatMap(({ artifacts }) =>
      artifacts
        .filter(({ mediaType }) => mediaType.startsWith('image/'))
        .map(({ name, title }) => [name, title] as const),
    ),
  );
  return (
    <Page title="Compare" subtitle={`${records.length} runs side by side`} width={1600}>
      <Section title="Runs">
        <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
          {loaded.runs.map(({ row }, index) => (
            <Box component="li" key={row.runId} sx={{ display: 'flex', gap: 2, py: 0.5, flexWrap: 'wrap' }}>
              <Box sx={{ fontWeight: 600, width: '1.25rem' }}>{labels[index]}</Box>
              <Box sx={{ width: '6rem' }}>
                <StateMark state={row.state} isPaused={row.isPaused} />
              </Box>
              <Link href={hrefOf({ page: 'run', runId: row.runId })}>{runTitle(row)}</Link>
              <Box sx={{ color: 'text.secondary' }}>
                <code>{row.runId}</code> · {formatWhen(row.createdAtMs, Date.now())}
              </Box>
            </Box>
          ))}
        </Box>
      </Section>
      <Box
        sx={{
          display: 'grid',
          columnGap: 5,
          gridTemplateColumns: `repeat(auto-fit, minmax(min(100%, ${widthFor(labels.length)}), 1fr))`,
        }}
      >
        <Section title="Asked for, where it differs" aside={<CopyTable labels={labels} rows={asked} />}>
          {asked.length === 0 ? (
            <Typography variant="body2" color="textSecondary">
              The same request for each of them.
            </Typography>
          ) : (
            <Compared labels={labels} rows={asked} />
          )}
        </Section>
        {came.length > 0 && (
          <Section title="Results" aside={<CopyTable labels={labels} rows={came} />}>
            <Compared labels={labels} rows={came} />
          </Section>
        )}
      </Box>
      {names.length > 0 && (
        <Section title="Curves">
          <Box
            sx={{ display: 'grid', gap: 3, gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 23.75rem), 1fr))' }}
          >
            {names.map((name) => (
              <LineChart
                key={name}
                title={curveTitle(name, methodIds)}
                xTitle="step"
                fileName={`compare-${name}`}
                curves={loaded.series.flatMap((each, index) => {
                  const points = each[name]?.points.map(({ step, value }) => [step, value] as const);
                  const source = { runId: records[index]?.runId ?? '', name };
                  return points ? [{ label: labels[index] ?? '', points, source }] : [];
                })}
              />
            ))}
          </Box>
        </Section>
      )}
      {[...pictureTitles.keys()].map((name) => (
        <Section key={name} title={pictureTitles.get(name) ?? humanise(name)}>
          <Box
            sx={{ display: 'grid', gap: 3, gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 18.75rem), 1fr))' }}
          >
            {records.map(({ runId, artifacts }, index) => {
              const picture = artifacts.find((artifact) => artifact.name === name);
              return (
                <Box key={runId} sx={{ minWidth: 0 }}>
                  <Typography variant="h3" sx={{ mb: 0.5 }}>
                    {labels[index]}
                  </Typography>
                  {picture && <PictureGrid artifact={picture} />}
                </Box>
              );
            })}
          </Box>
        </Section>
      ))}
    </Page>
  );
}

/** "Loss, student": the name that one of the methods gives the figure, and the curve's own. */
function curveTitle(name: string, methodIds: readonly string[]): string {
  const [family = name, ...rest] = name.split('.');
  const titles = methodIds.flatMap((id) => specOf(id)?.metrics[family]?.title ?? []);
  return [titles[0] ?? humanise(family), ...rest].join(', ');
}

const letter = (index: number): string => String.fromCodePoint(65 + index);

/** A column of names, and one for each run. */
const widthFor = (count: number): string => `${13.75 + 8.5 * count}rem`;

interface TableProps {
  readonly labels: readonly string[];
  readonly rows: readonly ComparedRow[];
}

function Compared({ labels, rows }: TableProps) {
  return (
    <Box sx={{ overflowX: 'auto' }}>
      <Table
        size="small"
        sx={{ width: widthFor(labels.length), tableLayout: 'fixed', '& tr > :last-child': { pr: 0 } }}
      >
        <TableHead>
          <TableRow>
            <TableCell sx={{ width: '13.75rem' }} />
            {labels.map((label) => (
              <TableCell key={label} align="right">
                {label}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map(({ label, texts, best }) => (
            <TableRow key={label}>
              <TableCell component="th" scope="row" sx={{ color: 'text.secondary' }}>
                {label}
              </TableCell>
              {texts.map((text, index) => (
                <TableCell
                  key={labels[index]}
                  align="right"
                  sx={{ ...(best.has(index) && { fontWeight: 650, color: 'primary.main' }) }}
                >
                  {text}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Box>
  );
}

function CopyTable({ labels, rows }: TableProps) {
  const text = csvText([['', ...labels], ...rows.map(({ label, texts }) => [label, ...texts])]);
  return <CopyButton text={text} title="Copy as CSV" />;
}
