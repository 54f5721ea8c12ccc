import Typography from '@mui/material/Typography';
import type { Estimate } from '../../core/contract/bridge.ts';
import { formatBytes, formatDuration, missing } from '../../core/report/format.ts';
import { Facts } from './Facts.tsx';

/** Time, memory and disk that a run should take, and what that is based on. */
export function EstimateFacts({ estimate }: { readonly estimate: Estimate }) {
  const { time, memoryBytes, diskBytes, basis } = estimate;
  const range = time && `${formatDuration(time.lowMs)} to ${formatDuration(time.highMs)}`;
  return (
    <>
      <Facts
        labelWidth={72}
        facts={[
          { label: 'Time', value: time ? `about ${formatDuration(time.likelyMs)} (${range})` : missing },
          ...(memoryBytes === null ? [] : [{ label: 'Memory', value: `about ${formatBytes(memoryBytes)}` }]),
          ...(diskBytes === null ? [] : [{ label: 'Disk', value: `about ${formatBytes(diskBytes)}` }]),
        ]}
      />
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 0.5, mb: 0 }}>
        {basis}
      </Typography>
    </>
  );
}
