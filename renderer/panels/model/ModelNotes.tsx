import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import type { KnownModel, ModelInspection } from '../../../core/contract/inspection.ts';
import { useAction } from '../../bridge/use-action.ts';
import { useBridge } from '../../bridge/use-bridge.ts';
import { ErrorNote } from '../ErrorNote.tsx';
import { Section } from '../Page.tsx';
import { NamesFile } from './NamesFile.tsx';
import { readNames, readNormalisation } from './notes.ts';

interface ModelNotesProps {
  readonly path: string;
  readonly known: KnownModel | undefined;
  readonly classCount: number;
  /** By the file, or by one beside it. */
  readonly foundNames: ModelInspection['classNames'];
}

/** What the file does not say and the user knows: names of the classes, mean and standard deviation. */
export function ModelNotes({ path, known, classCount, foundNames }: ModelNotesProps) {
  const bridge = useBridge();
  const kept = {
    names: (known?.classNames ?? foundNames?.value ?? []).join('\n'),
    mean: (known?.normalisation?.mean ?? []).join(', '),
    std: (known?.normalisation?.std ?? []).join(', '),
  };
  const [typed, setTyped] = useState<Partial<typeof kept>>({});
  const { isBusy, error, run } = useAction();
  const text = { ...kept, ...typed };
  const names = readNames(text.names, classCount);
  const normalisation = readNormalisation(text.mean, text.std);
  const isChanged = JSON.stringify(text) !== JSON.stringify(kept);
  const keep = (): void => {
    if (!names.ok || !normalisation.ok) return;
    // What was found in the file needs no keeping.
    const isFound = text.names === (foundNames?.value ?? []).join('\n');
    const words = { classNames: isFound ? null : names.value, normalisation: normalisation.value };
    run(async () => {
      await bridge.request('models.annotate', { path, ...words });
      setTyped({});
    });
  };
  return (
    <Section
      title="What you know about it"
      aside={
        isChanged && (
          <Button onClick={keep} disabled={isBusy || !names.ok || !normalisation.ok}>
            Keep
          </Button>
        )
      }
    >
      <Box sx={{ display: 'grid', gap: 1.5 }}>
        <TextField
          label="Class names, one a line"
          multiline
          minRows={3}
          maxRows={12}
          value={text.names}
          error={!names.ok}
          helperText={names.ok ? originOf(known, foundNames) : names.problem}
          onChange={({ target }) => setTyped({ ...typed, names: target.value })}
        />
        <NamesFile classCount={classCount} onNames={(found) => setTyped({ ...typed, names: found.join('\n') })} />
        <Box sx={{ display: 'grid', gap: 1, gridTemplateColumns: '1fr 1fr' }}>
          <TextField
            label="Mean"
            placeholder="0.485, 0.456, 0.406"
            value={text.mean}
            error={!normalisation.ok}
            onChange={({ target }) => setTyped({ ...typed, mean: target.value })}
          />
          <TextField
            label="Standard deviation"
            placeholder="0.229, 0.224, 0.225"
            value={text.std}
            error={!normalisation.ok}
            onChange={({ target }) => setTyped({ ...typed, std: target.value })}
          />
        </Box>
        <Typography variant="caption" color={normalisation.ok ? 'textSecondary' : 'error'}>
          {normalisation.ok
            ? 'Of pixels in [0, 1], one number a channel or one for all. Kept in this workspace, not in the file.'
            : normalisation.problem}
        </Typography>
        {error && <ErrorNote error={error} />}
      </Box>
    </Section>
  );
}

function originOf(known: KnownModel | undefined, found: ModelInspection['classNames']): string {
  if (known?.classNames) return found ? `Yours; clear them for those of ${found.source}.` : '';
  return found ? `Found in ${found.source}, and used in runs. They can be changed here.` : '';
}
