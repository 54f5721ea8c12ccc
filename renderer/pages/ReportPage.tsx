import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import Skeleton from '@mui/material/Skeleton';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import type { LinkTarget } from '../../core/contract/bridge.ts';
import { hrefOf } from '../app/routes.ts';
import { hasAddress } from '../bridge/connect.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Page } from '../panels/Page.tsx';
import { runTitle } from '../panels/run-text.ts';
import { followLink } from '../panels/save.ts';

type Format = Extract<LinkTarget, { kind: 'export' }>['format'];

const exports: readonly { readonly format: Format; readonly title: string }[] = [
  { format: 'html', title: 'Report, one HTML file' },
  { format: 'json', title: 'Results, JSON' },
  { format: 'sarif', title: 'Findings, SARIF' },
  { format: 'csv', title: 'Tables and curves, CSV in a zip' },
  { format: 'artifacts', title: 'Models and images, zip' },
  { format: 'all', title: 'Everything, zip' },
];

const bundle = 'Signed bundle, for another machine';

/** The run's report in a frame that can run nothing. */
export function ReportPage({ runId }: { readonly runId: string }) {
  const bridge = useBridge();
  const details = useRequest('runs.get', { runId });
  const link = useRequest('links.create', { kind: 'report', runId });
  const printing = useAction();
  const error = link.error ?? details.error ?? printing.error;
  // The link of the frame may be too old by now.
  const print = (): void =>
    printing.run(async () => {
      const { url } = await bridge.request('links.create', { kind: 'report', runId });
      window.open(url, '_blank', 'noopener');
    });
  return (
    <Page
      title="Report"
      isFull
      width={4000}
      subtitle={details.data && runTitle(details.data.row)}
      actions={
        <>
          <Button variant="outlined" startIcon={<Icon name="back" />} href={hrefOf({ page: 'run', runId })}>
            Run
          </Button>
          {hasAddress() && (
            <Tooltip describeChild title="Opens the report alone; print it from there, or save it as PDF.">
              <Button variant="outlined" startIcon={<Icon name="print" />} disabled={printing.isBusy} onClick={print}>
                Print or PDF
              </Button>
            </Tooltip>
          )}
          <Export runId={runId} />
        </>
      }
    >
      {error && <ErrorNote error={error} />}
      <Box sx={{ flex: 1, minHeight: 0, mx: { xs: -3, lg: -5 }, borderTop: 1, borderColor: 'divider' }}>
        {link.isLoading && <Skeleton height="100%" sx={{ borderRadius: 0 }} />}
        {link.data && !link.isLoading && (
          <Box
            component="iframe"
            title="Report"
            sandbox=""
            src={link.data.url}
            sx={{ display: 'block', width: '100%', height: '100%', border: 0, bgcolor: 'background.default' }}
          />
        )}
      </Box>
    </Page>
  );
}

function Export({ runId }: { readonly runId: string }) {
  const bridge = useBridge();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const { isBusy, error, run } = useAction();
  const follow = (asked: Promise<{ readonly url: string }>): void => {
    setAnchor(null);
    run(async () => followLink((await asked).url));
  };
  const save = (target: LinkTarget): void => follow(bridge.request('links.create', target));
  return (
    <>
      <Button
        variant="contained"
        startIcon={<Icon name="download" />}
        aria-haspopup="menu"
        disabled={isBusy}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        Export
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {!hasAddress() && (
          <MenuItem onClick={() => follow(bridge.request('links.createPdf', { runId }))}>Report, PDF</MenuItem>
        )}
        {exports.map(({ format, title }) => (
          <MenuItem key={format} onClick={() => save({ kind: 'export', runId, format })}>
            {title}
          </MenuItem>
        ))}
        <MenuItem onClick={() => save({ kind: 'bundle', runIds: [runId] })}>{bundle}</MenuItem>
      </Menu>
      {error && <ErrorNote error={error} />}
    </>
  );
}
