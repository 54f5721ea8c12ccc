import Box from '@mui/material/Box';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { deviceNames } from '../../core/contract/run.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { deviceTitles } from './device-titles.ts';
import type { Draft } from './form-model.ts';

interface SurroundingsProps {
  readonly draft: Draft;
  readonly problem: string | undefined;
  readonly onChange: (draft: Draft) => void;
}

/** Device and threads. */
export function Surroundings({ draft, problem, onChange }: SurroundingsProps) {
  const { data } = useRequest('machine.facts', {});
  return (
    <>
      <Box sx={{ display: 'grid', gap: '14px 32px', gridTemplateColumns: 'repeat(auto-fill, minmax(260px, 1fr))' }}>
        <TextField
          select
          label="Device"
          value={draft.device}
          onChange={({ target }) =>
            onChange({ ...draft, device: deviceNames.find((name) => name === target.value) ?? 'auto' })
          }
        >
          {deviceNames.map((name) => (
            <MenuItem key={name} value={name}>
              {deviceTitles[name]}
            </MenuItem>
          ))}
        </TextField>
        <TextField
          label="Threads"
          value={draft.threads}
          error={problem !== undefined}
          placeholder={data ? `${data.threads}, as usual here` : ''}
          onChange={({ target }) => onChange({ ...draft, threads: target.value.trim() })}
          slotProps={{ htmlInput: { inputMode: 'numeric' }, inputLabel: { shrink: true } }}
        />
      </Box>
      <Typography variant="caption" color={problem === undefined ? 'textSecondary' : 'error'} component="p">
        {problem ?? 'On a processor the same seed and number of threads give the same bits again.'}
      </Typography>
    </>
  );
}
