import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import LinearProgress from '@mui/material/LinearProgress';
import Typography from '@mui/material/Typography';
import { useRef, useState, type DragEvent } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import type { UploadFile } from '../../core/contract/bridge.ts';
import { formatBytes } from '../../core/report/format.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { droppedFiles } from './dropped-files.ts';
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
  const [error, setError] = useState<WorkbenchError | undefined>(undefined);

  const send = async (files: readonly { readonly path: string; readonly file: UploadFile }[]): Promise<void> => {
    const [first] = files;
    if (!first) return;
    const name = files.length === 1 ? first.path : `${files.length} files`;
    setError(undefined);
    setSending({ name, sent: 0, total: 0 });
    try {
      const onProgress = (sent: number, total: number): void => setSending({ name, sent, total });
      const { path } = await bridge.upload({ kind, files, onProgress });
      onPath(path);
    } catch (thrown) {
      setError(toWorkbenchError(thrown));
    } finally {
      setSending(undefined);
    }
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void droppedFiles(event.dataTransfer).then(send);
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
        <Icon name={kind === 'model' ? 'model' : 'data'} sx={{ fontSize: 26, color: 'text.secondary' }} />
        <Box sx={{ flex: '1 1 260px' }}>
          <Typography variant="h2">{sending ? `Reading ${sending.name}` : title}</Typography>
          <Typography variant="body2" color="textSecondary">
            {sending ? `${formatBytes(sending.sent)} of ${formatBytes(sending.total)}` : note}
          </Typography>
        </Box>
        <Button variant="outlined" onClick={() => input.current?.click()} disabled={sending !== undefined}>
          Choose a file
        </Button>
        <Button variant="outlined" onClick={() => setBrowsing(true)} disabled={sending !== undefined}>
          Open on the host
        </Button>
        <input
          ref={input}
          type="file"
          hidden
          multiple
          data-testid={`${kind}-file`}
          onChange={({ target }) => {
            void send([...(target.files ?? [])].map((file) => ({ path: file.name, file })));
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
