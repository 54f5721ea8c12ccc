import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogTitle from '@mui/material/DialogTitle';
import List from '@mui/material/List';
import ListItemButton from '@mui/material/ListItemButton';
import { useState } from 'react';
import { formatBytes } from '../../core/report/format.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from './ErrorNote.tsx';
import { Rows } from './PageSkeleton.tsx';

interface FileBrowserProps {
  readonly kind: 'model' | 'data' | 'folder';
  /** Told what was chosen, after onClose. */
  readonly onChoose: (path: string) => void;
  readonly onClose: () => void;
}

/** Folders and files of the machine that computes, which need not be the one in front of the user. */
export function FileBrowser({ kind, onChoose, onClose }: FileBrowserProps) {
  const [path, setPath] = useState<string | undefined>(undefined);
  const choose = (chosen: string): void => {
    onClose();
    onChoose(chosen);
  };
  const { data, error } = useRequest('files.list', path === undefined ? {} : { path });
  const { data: settings } = useRequest('settings.get', {});
  const fits = (name: string): boolean => kind === 'data' || (kind === 'model' && name.toLowerCase().endsWith('.onnx'));
  const entries = (data?.entries ?? []).filter(({ name, isFolder }) => isFolder || fits(name));
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm">
      <DialogTitle sx={{ fontSize: '0.875rem', fontWeight: 600, pb: 1 }}>
        {titles[kind]}
        <Box sx={{ fontWeight: 400, color: 'text.secondary', fontSize: '0.8125rem' }}>{data?.path ?? ' '}</Box>
      </DialogTitle>
      {(settings?.places.length ?? 0) > 0 && (
        <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 0.5, px: 3, pb: 1 }}>
          {settings?.places.map((place) => (
            <Button key={place} variant="outlined" title={place} onClick={() => setPath(place)} sx={{ minHeight: 26 }}>
              {place.split(/[/\\]/).findLast((part) => part !== '') ?? place}
            </Button>
          ))}
        </Box>
      )}
      <Box sx={{ height: 380, overflowY: 'auto', borderTop: 1, borderBottom: 1, borderColor: 'divider', px: 1 }}>
        {error && <ErrorNote error={error} />}
        {!data && !error && (
          <Box sx={{ p: 2 }}>
            <Rows count={8} />
          </Box>
        )}
        {data && (
          <List dense component="div">
            {data.parent !== null && <Entry icon="up" name=".." onClick={() => setPath(data.parent ?? undefined)} />}
            {entries.map((entry) => (
              <Entry
                key={entry.path}
                icon={entry.isFolder ? 'folder' : 'file'}
                name={entry.name}
                note={entry.isFolder ? '' : formatBytes(entry.sizeBytes)}
                onClick={() => (entry.isFolder ? setPath(entry.path) : choose(entry.path))}
              />
            ))}
            {entries.length === 0 && (
              <Box sx={{ p: 2, color: 'text.secondary' }}>Nothing here that could be opened.</Box>
            )}
          </List>
        )}
      </Box>
      <DialogActions>
        {kind !== 'model' && data && (
          <Button variant="outlined" onClick={() => choose(data.path)}>
            Take this folder
          </Button>
        )}
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  );
}

const titles = {
  model: 'Choose an ONNX file',
  data: 'Choose a file or folder',
  folder: 'Choose a folder',
} as const;

interface EntryProps {
  readonly icon: 'up' | 'folder' | 'file';
  readonly name: string;
  readonly note?: string;
  readonly onClick: () => void;
}

function Entry({ icon, name, note, onClick }: EntryProps) {
  return (
    <ListItemButton onClick={onClick} sx={{ borderRadius: 1, gap: 1.5, py: 0.25, fontSize: '0.8125rem' }}>
      <Icon name={icon} sx={{ fontSize: '1rem', color: 'text.secondary' }} />
      <Box sx={{ flex: 1 }}>{name}</Box>
      <Box sx={{ color: 'text.secondary' }}>{note}</Box>
    </ListItemButton>
  );
}
