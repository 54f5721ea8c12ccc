import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import LinearProgress from '@mui/material/LinearProgress';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import { useEffect, useRef, useState } from 'react';
import type { RequestResult } from '../../core/contract/bridge.ts';
import { formatBytes } from '../../core/report/format.ts';
import { hrefOf } from '../app/routes.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from './ErrorNote.tsx';
import { followLink } from './save.ts';

type Imported = RequestResult<'runs.import'>;

interface BundleButtonsProps {
  readonly runIds: readonly string[];
  readonly onImported: () => void;
}

interface Sending {
  readonly name: string;
  readonly sent: number;
  readonly total: number;
}

/** Runs out of the history as one signed file, and into it. */
export function BundleButtons({ runIds, onImported }: BundleButtonsProps) {
  const bridge = useBridge();
  const input = useRef<HTMLInputElement>(null);
  const taking = useAction();
  const saving = useAction();
  const [imported, setImported] = useState<Imported | undefined>(undefined);
  const [sending, setSending] = useState<Sending | undefined>(undefined);
  const underWay = useRef<AbortController>(undefined);
  // Who has left the page does not want a bundle taken in any more.
  useEffect(() => () => underWay.current?.abort(), []);
  const take = (file: File | undefined): void => {
    if (!file || underWay.current) return;
    const controller = new AbortController();
    const { signal } = controller;
    underWay.current = controller;
    taking.run(async () => {
      try {
        const onProgress = (sent: number, total: number): void => setSending({ name: file.name, sent, total });
        onProgress(0, file.size);
        const { path } = await bridge.upload({
          kind: 'bundle',
          files: [{ path: file.name, file }],
          onProgress,
          signal,
        });
        setSending(undefined);
        setImported(await bridge.request('runs.import', { path }));
        onImported();
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      } finally {
        underWay.current = undefined;
        setSending(undefined);
      }
    });
  };
  const save = (): void =>
    saving.run(async () => {
      const { url } = await bridge.request('links.create', { kind: 'bundle', runIds: [...runIds] });
      followLink(url);
    });
  const close = (): void => {
    taking.forget();
    saving.forget();
    setImported(undefined);
  };
  const error = taking.error ?? saving.error;
  return (
    <>
      {runIds.length > 0 && (
        <Button variant="outlined" startIcon={<Icon name="download" />} disabled={saving.isBusy} onClick={save}>
          {saving.isBusy ? 'Reading files …' : 'Bundle'}
        </Button>
      )}
      <Button
        variant="outlined"
        startIcon={<Icon name="import" />}
        disabled={taking.isBusy}
        onClick={() => input.current?.click()}
      >
        Import
      </Button>
      <input
        ref={input}
        type="file"
        accept=".zip"
        hidden
        data-testid="bundle-file"
        onChange={({ target }) => {
          take(target.files?.[0]);
          target.value = '';
        }}
      />
      <Dialog open={sending !== undefined} onClose={() => underWay.current?.abort()} fullWidth maxWidth="sm">
        <DialogTitle>Reading {sending?.name}</DialogTitle>
        <DialogContent>
          <LinearProgress aria-label="Reading" variant="determinate" value={sending ? shareOf(sending) : 0} />
          <Typography variant="body2" color="textSecondary" className="figures" sx={{ mt: 1 }}>
            {formatBytes(sending?.sent ?? 0)} of {formatBytes(sending?.total ?? 0)}
          </Typography>
        </DialogContent>
        <DialogActions>
          <Button onClick={() => underWay.current?.abort()}>Cancel</Button>
        </DialogActions>
      </Dialog>
      <Dialog open={error !== undefined || imported !== undefined} onClose={close} fullWidth maxWidth="sm">
        <DialogTitle>{error ? (saving.error ? 'Not saved' : 'Not taken') : 'Imported'}</DialogTitle>
        <DialogContent>
          {error && <ErrorNote error={error} />}
          {imported && <Outcome imported={imported} onLeave={close} />}
        </DialogContent>
        <DialogActions>
          <Button onClick={close}>Close</Button>
        </DialogActions>
      </Dialog>
    </>
  );
}

const shareOf = ({ sent, total }: Sending): number => (total === 0 ? 0 : (100 * sent) / total);

const words = {
  added: 'added',
  extended: 'was here; brought up to date',
  known: 'is here already, nothing changed',
} as const;

function Outcome({ imported: { key, runs }, onLeave }: { readonly imported: Imported; readonly onLeave: () => void }) {
  return (
    <>
      <Alert severity="info" sx={{ mb: 2 }}>
        Every file matches the signature of the key <code>{key}</code>. Compare it with the one who made the bundle.
      </Alert>
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
        {runs.map(({ runId, outcome, isInTrash }) => (
          <li key={runId}>
            <Link href={hrefOf({ page: 'run', runId })} onClick={onLeave}>
              {runId}
            </Link>{' '}
            {words[outcome]}
            {isInTrash && '; it lies in the trash'}
          </li>
        ))}
      </Box>
    </>
  );
}
