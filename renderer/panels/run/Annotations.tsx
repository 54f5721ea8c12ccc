import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import TextField from '@mui/material/TextField';
import { useState } from 'react';
import type { RunRow } from '../../../core/contract/history.ts';
import { useAction } from '../../bridge/use-action.ts';
import { useBridge, useRequest } from '../../bridge/use-bridge.ts';
import { ErrorNote } from '../ErrorNote.tsx';
import { Section } from '../Page.tsx';

/** Tags and a note: the only things about a run that change after it has ended. */
export function Annotations({ row, onDone }: { readonly row: RunRow; readonly onDone: () => void }) {
  const bridge = useBridge();
  const tags = useRequest('runs.tags', {}, (event) => event.type === 'run');
  const [note, setNote] = useState<string | undefined>(undefined);
  const { error, run } = useAction();
  const { runId } = row;
  const annotate = async (change: { note?: string; addTags?: string[]; removeTags?: string[] }): Promise<unknown> =>
    bridge.request('runs.annotate', { runIds: [runId], ...change }).finally(onDone);
  const setTags = (next: readonly string[]): void => {
    const wanted = new Set(next.map((tag) => tag.trim()).filter((tag) => tag !== ''));
    const addTags = [...wanted].filter((tag) => !row.tags.includes(tag));
    const removeTags = row.tags.filter((tag) => !wanted.has(tag));
    run(async () => annotate({ addTags, removeTags }));
  };
  const keepNote = (): void => {
    if (note === undefined) return;
    run(async () => {
      if (note !== row.note) await annotate({ note });
      // What was typed meanwhile, or could not be kept, stays in the field.
      setNote((typed) => (typed === note ? undefined : typed));
    });
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
        {error && <ErrorNote error={error} />}
      </Box>
    </Section>
  );
}
