import Box from '@mui/material/Box';
import type { RunState } from '../../core/contract/run.ts';
import { stateTitles } from './run-text.ts';

const colours: Readonly<Record<RunState, string>> = {
  queued: 'text.secondary',
  running: 'primary.main',
  succeeded: 'success.main',
  failed: 'error.main',
  cancelled: 'text.secondary',
  interrupted: 'warning.main',
};
const isHollow: ReadonlySet<RunState> = new Set(['queued', 'cancelled']);

/** A dot and a word; the word carries the meaning. */
export function StateMark({ state, isPaused = false }: { readonly state: RunState; readonly isPaused?: boolean }) {
  const colour = colours[state];
  return (
    <Box
      component="span"
      sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.875, color: colour, whiteSpace: 'nowrap' }}
    >
      <Box
        component="span"
        sx={{
          width: 8,
          height: 8,
          borderRadius: '50%',
          border: '1.5px solid',
          borderColor: colour,
          bgcolor: isHollow.has(state) ? 'transparent' : colour,
        }}
      />
      {isPaused ? 'Paused' : stateTitles[state]}
    </Box>
  );
}
