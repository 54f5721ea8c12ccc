import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Popover from '@mui/material/Popover';
import TextField from '@mui/material/TextField';
import { useState } from 'react';
import { useAction } from '../bridge/use-action.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { ErrorNote } from './ErrorNote.tsx';

/** Puts a tag on all chosen runs. */
export function TagButton({ runIds, onDone }: { readonly runIds: readonly string[]; readonly onDone: () => void }) {
  const bridge = useBridge();
  const tags = useRequest('runs.tags', {}, (event) => event.type === 'run');
  const { error, run } = useAction();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const add = (tag: string | null): void => {
    const trimmed = tag?.trim().slice(0, 50) ?? '';
    if (trimmed === '') return;
    run(async () => {
      await bridge.request('runs.annotate', { runIds: [...runIds], addTags: [trimmed] }).finally(onDone);
      setAnchor(null);
    });
  };
  return (
    <>
      <Button
        variant="outlined"
        disabled={runIds.length === 0}
        aria-haspopup="dialog"
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        Tag
      </Button>
      <Popover
        anchorEl={anchor}
        open={anchor !== null}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'left' }}
      >
        <Box sx={{ p: 1.5, width: 240 }}>
          <Autocomplete
            freeSolo
            openOnFocus
            size="small"
            options={(tags.data ?? []).map(({ tag }) => tag)}
            onChange={(_, next) => add(next)}
            renderInput={(params) => (
              <TextField
                {...params}
                label="Tag, then Enter"
                inputRef={(input: HTMLInputElement | null) => input?.focus()}
              />
            )}
          />
          {error && <ErrorNote error={error} />}
        </Box>
      </Popover>
    </>
  );
}
