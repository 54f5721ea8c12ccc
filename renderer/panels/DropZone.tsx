import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import LinearProgress from '@mui/material/LinearProgress';
import Typography from '@mui/material/Typography';
import { useEffect, useRef, useState, type DragEvent } from 'react';
import { formatBytes } from '../../core/report/format.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { droppedFiles, isHidden, type DroppedFile } from './dropped-files.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { FileBrowser } from './FileBrowser.tsx';

interface DropZoneProps {
  readonly kind: 'model' | 'data';
  readonly title: string;
  readonly note: string;
  readonly onPath: (path: string) => void;
}

interface Sending {
  readonly name: string;
  readonly sent: number;
  readonly total: number;
}

/** Takes files by drop, by the browser's dialog (both are copied into the workspace), or by their path on the host. */
export function DropZone({ kind, title, note, onPath }: DropZoneProps) {
  const bridge = useBridge();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [isBrowsing, setBrowsing] = useState(false);
  const [sending, setSending] = useState<Sending | undefined>(undefined);
  const { error, run } = useAction();
  const underWay = useRef<AbortController>(undefined);
  // Who has left the page does not want to be taken to what was dropped on it.
  useEffect(() => () => underWay.current?.abort(), []);

  const send = (find: () => Promise<readonly DroppedFile[]>): void => {
    // One at a time: what is dropped meanwhile stays where it is.
    if (underWay.current) return;
    const controller = new AbortController();
    const { signal } = controller;
    underWay.current = controller;
    run(async () => {
      try {
        const found = await find();
        const files = found.length > 1 ? found.filter(({ path }) => !isHidden(path)) : found;
        const [first] = files;
        if (!first) return;
        const name = files.length === 1 ? first.path : `${files.length} files`;
        const onProgress = (sent: number, total: number): void => setSending({ name, sent, total });
        onProgress(0, 0);
        const { path } = await bridge.upload({ kind, files, onProgress, signal });
        if (!signal.aborted) onPath(path);
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      } finally {
        underWay.current = undefined;
        setSending(undefined);
      }
    });
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const { dataTransfer } = event;
    send(async () => droppedFiles(dataTransfer));
  };
  return (
    <Box sx={{ mb: 3 }}>
      <Box
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 2,
          flexWrap: 'wrap',
          px: 2.5,
          py: 2.5,
          border: '1px dashed',
          borderColor: isOver ? 'primary.main' : 'divider',
          bgcolor: isOver ? 'primary.light' : 'transparent',
          borderRadius: 1.5,
        }}
      >
        <Icon name={kind === 'model' ? 'model' : 'data'} sx={{ fontSize: '1.625rem', color: 'text.secondary' }} />
        <Box sx={{ flex: '1 1 16.25rem' }}>
          <Typography variant="h2">{sending ? `Reading ${sending.name}` : title}</Typography>
          <Typography variant="body2" color="textSecondary">
            {sending ? `${formatBytes(sending.sent)} of ${formatBytes(sending.total)}` : note}
          </Typography>
        </Box>
        {sending ? (
          <Button variant="outlined" onClick={() => underWay.current?.abort()}>
            Cancel
          </Button>
        ) : (
          <>
            <Button variant="outlined" onClick={() => input.current?.click()}>
              Choose a file
            </Button>
            <Button variant="outlined" onClick={() => setBrowsing(true)}>
              Open on the host
            </Button>
          </>
        )}
        <input
          ref={input}
          type="file"
          hidden
          multiple
          data-testid={`${kind}-file`}
          onChange={({ target }) => {
            const files = [...(target.files ?? [])].map((file) => ({ path: file.name, file }));
            send(async () => files);
            target.value = '';
          }}
        />
      </Box>
      {sending && (
        <LinearProgress
          aria-label="Reading"
          variant="determinate"
          value={sending.total === 0 ? 0 : (100 * sending.sent) / sending.total}
          sx={{ mt: 1 }}
        />
      )}
      {error && (
        <Box sx={{ mt: 1.5 }}>
          <ErrorNote error={error} />
        </Box>
      )}
      {isBrowsing && <FileBrowser kind={kind} onClose={() => setBrowsing(false)} onChoose={onPath} />}
    </Box>
  );
}
