import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useRequest } from '../bridge/use-bridge.ts';
import type { Draft } from './form-model.ts';
import { DeviceField, ThreadsField } from './MachineFields.tsx';

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
      <Box
        sx={{
          display: 'grid',
          gap: '14px 32px',
          gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 16.25rem), 1fr))',
        }}
      >
        <DeviceField value={draft.device} onChange={(device) => onChange({ ...draft, device })} />
        <ThreadsField
          text={draft.threads}
          isWrong={problem !== undefined}
          placeholder={data ? `${data.threads}, as usual here` : ''}
          onChange={(threads) => onChange({ ...draft, threads })}
        />
      </Box>
      <Typography variant="caption" color={problem === undefined ? 'textSecondary' : 'error'} component="p">
        {problem ?? 'On a processor the same seed and number of threads give the same bits again.'}
      </Typography>
    </>
  );
}
