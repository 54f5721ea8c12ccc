import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import TextField from '@mui/material/TextField';
import { useState } from 'react';
import type { RunRow } from '../../../core/contract/history.ts';
import { useBridge, useRequest } from '../../bridge/use-bridge.ts';
import { Section } from '../Page.tsx';

/** Tags and a note: the only things about a run that change after it has ended. */
export function Annotations({ row, onDone }: { readonly row: RunRow; readonly onDone: () => void }) {
  const bridge = useBridge();
  const tags = useRequest('runs.tags', {}, (event) => event.type === 'run');
  const [note, setNote] = useState<string | undefined>(undefined);
  const { runId } = row;
  const annotate = (change: { note?: string; addTags?: string[]; removeTags?: string[] }): void => {
    void bridge.request('runs.annotate', { runIds: [runId], ...change }).finally(onDone);
  };
  const setTags = (next: readonly string[]): void => {
    const wanted = new Set(next.map((tag) => tag.trim()).filter((tag) => tag !== ''));
    annotate({
      addTags: [...wanted].filter((tag) => !row.tags.includes(tag)),
      removeTags: row.tags.filter((tag) => !wanted.has(tag)),
    });
  };
  const keepNote = (): void => {
    if (note !== undefined && note !== row.note) annotate({ note });
    setNote(undefined);
  };
  return (
    <Section title="Notes">
      <Box sx={{ display: 'grid', gap: 1.25 }}>
        <Autocomplete
          multiple
          freeSolo
          size="small"
          options={(tags.data ?? []).map(({ tag }) => tag)}
          value={[...row.tags]}
          onChange={(_, next) => setTags(next)}
          renderInput={({ slotProps, ...params }) => (
            <TextField
              {...params}
              placeholder={row.tags.length === 0 ? 'Tags' : ''}
              slotProps={{ ...slotProps, htmlInput: { ...slotProps.htmlInput, 'aria-label': 'Tags' } }}
            />
          )}
        />
        <TextField
          multiline
          maxRows={8}
          placeholder="Note"
          value={note ?? row.note}
          onChange={(event) => setNote(event.target.value)}
          onBlur={keepNote}
          slotProps={{ htmlInput: { 'aria-label': 'Note', maxLength: 10_000 } }}
        />
      </Box>
    </Section>
  );
}
