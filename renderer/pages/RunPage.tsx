import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import Tooltip from '@mui/material/Tooltip';
import type { RunDetails } from '../../core/contract/history.ts';
import { formatFraction, formatInstant } from '../../core/report/format.ts';
import { hrefOf } from '../app/routes.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { useRun } from '../bridge/use-run.ts';
import { Icon } from '../icons/Icon.tsx';
import { CommandText } from '../panels/CommandText.tsx';
import { CopyButton } from '../panels/CopyButton.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Page, Section } from '../panels/Page.tsx';
import { PageSkeleton } from '../panels/PageSkeleton.tsx';
import { isActive, runTitle, stateTitles } from '../panels/run-text.ts';
import { Curves } from '../panels/run/Curves.tsx';
import { KeyFigures } from '../panels/run/KeyFigures.tsx';
import { LiveTables } from '../panels/run/LiveTables.tsx';
import { Pictures } from '../panels/run/Pictures.tsx';
import { ProgressBlock } from '../panels/run/ProgressBlock.tsx';
import { Log } from '../panels/run/Log.tsx';
import { Files, Request, Surroundings } from '../panels/run/RunFacts.tsx';
import { Annotations } from '../panels/run/Annotations.tsx';
import { StateMark } from '../panels/StateMark.tsx';

export function RunPage({ runId }: { readonly runId: string }) {
  const { view, error, reload } = useRun(runId);
  if (!view) {
    if (!error) return <PageSkeleton />;
    return (
      <Page title="Run">
        <ErrorNote error={error} />
      </Page>
    );
  }
  const { details } = view;
  const { record, row } = details;
  return (
    <Page
      title={runTitle(row)}
      mark={
        isActive(record.state)
          ? formatFraction(details.progress?.fraction ?? 0, 0)
          : stateTitles[record.state].toLowerCase()
      }
      subtitle={
        <Box sx={{ display: 'flex', gap: '2px 16px', flexWrap: 'wrap', alignItems: 'baseline', fontSize: '0.8125rem' }}>
          <StateMark state={record.state} isPaused={row.isPaused} />
          <code>{record.runId}</code>
          <span>{formatInstant(record.createdAtMs, 'minute')}</span>
          {row.groupId !== null && <Link href={hrefOf({ page: 'runs', groupId: row.groupId })}>one of a group</Link>}
        </Box>
      }
      actions={<Actions details={details} onDone={reload} />}
    >
      {error && (
        <Box sx={{ mb: 3 }}>
          <ErrorNote error={error} />
        </Box>
      )}
      {row.deletedAtMs !== null && (
        <Alert severity="warning" sx={{ mb: 3 }}>
          This run is in the trash and will be deleted for good 30 days after it went there.
        </Alert>
      )}
      {details.origin && (
        <Alert severity="info" sx={{ mb: 3 }}>
          Imported {formatInstant(details.origin.atMs, 'minute')} from a bundle signed by the key{' '}
          <code>{details.origin.key}</code>.
        </Alert>
      )}
      {record.state === 'cancelled' && record.resumable && (
        <Alert severity="info" sx={{ mb: 3 }}>
          {row.isPaused ? 'Paused' : 'Cancelled'}
          {details.progress ? `, ${formatFraction(details.progress.fraction, 0)} done` : ''}. Resume goes on from there
          and ends with the same result.
        </Alert>
      )}
      {record.error && record.error.code !== 'CANCELLED' && (
        <Box sx={{ mb: 3 }}>
          <ErrorNote error={record.error} />
        </Box>
      )}
      <Box
        sx={{
          display: 'grid',
          gap: { xs: 3, lg: 5 },
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) 16.5rem', lg: 'minmax(0, 1fr) 20rem' },
          alignItems: 'start',
        }}
      >
        <Box sx={{ minWidth: 0 }}>
          {isActive(record.state) && <ProgressBlock details={details} />}
          <KeyFigures record={record} />
          <LiveTables view={view} />
          <Pictures artifacts={record.artifacts} isActive={isActive(record.state)} />
          <Curves view={view} />
          <Log lines={view.logs} />
        </Box>
        <Box sx={{ minWidth: 0 }}>
          <Request details={details} />
          <Files record={record} />
          <Annotations row={row} onDone={reload} />
          <Surroundings record={record} />
          {details.command !== null && (
            <Section title="Command line" aside={<CopyButton text={details.command} title="Copy as command line" />}>
              <CommandText text={details.command} />
            </Section>
          )}
        </Box>
      </Box>
    </Page>
  );
}

function Actions({ details, onDone }: { readonly details: RunDetails; readonly onDone: () => void }) {
  const bridge = useBridge();
  const { isBusy, error, run } = useAction();
  const { record, row } = details;
  const { runId, state } = record;
  const act = (request: Promise<unknown>): void => run(async () => request.finally(onDone));
  return (
    <>
      {state === 'running' && (
        <Tooltip
          describeChild
          title="Stops at the next safe point, to go on later. Runs that wait are computed meanwhile."
        >
          <Button
            variant="outlined"
            startIcon={<Icon name="pause" />}
            disabled={isBusy}
            onClick={() => act(bridge.request('runs.pause', { runId }))}
          >
            Pause
          </Button>
        </Tooltip>
      )}
      {isActive(state) && (
        <Button
          variant="outlined"
          startIcon={<Icon name="stop" />}
          disabled={isBusy}
          onClick={() => act(bridge.request('runs.cancel', { runId }))}
        >
          Cancel
        </Button>
      )}
      {record.resumable && !isActive(state) && (
        <Button
          variant="contained"
          startIcon={<Icon name="resume" />}
          disabled={isBusy}
          onClick={() => act(bridge.request('runs.resume', { runId }))}
        >
          Resume
        </Button>
      )}
      {!isActive(state) && (
        <>
          <Button
            variant="outlined"
            startIcon={<Icon name="again" />}
            href={hrefOf({ page: 'new', methodId: row.methodId, from: runId })}
          >
            Run again with changes
          </Button>
          <TrashButton row={row} isBusy={isBusy} act={act} />
        </>
      )}
      {state === 'succeeded' && (
        <Button variant="contained" startIcon={<Icon name="report" />} href={hrefOf({ page: 'report', runId })}>
          Report
        </Button>
      )}
      {error && (
        <Box sx={{ flexBasis: '100%' }}>
          <ErrorNote error={error} />
        </Box>
      )}
    </>
  );
}

interface TrashButtonProps {
  readonly row: RunDetails['row'];
  readonly isBusy: boolean;
  readonly act: (request: Promise<unknown>) => void;
}

function TrashButton({ row, isBusy, act }: TrashButtonProps) {
  const bridge = useBridge();
  const isTrash = row.deletedAtMs !== null;
  const name = isTrash ? 'runs.restore' : 'runs.trash';
  return (
    <Button
      variant="outlined"
      startIcon={<Icon name={isTrash ? 'again' : 'trash'} />}
      disabled={isBusy}
      onClick={() => act(bridge.request(name, { runIds: [row.runId] }))}
    >
      {isTrash ? 'Take back' : 'Delete'}
    </Button>
  );
}
