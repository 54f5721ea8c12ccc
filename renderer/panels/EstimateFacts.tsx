import Typography from '@mui/material/Typography';
import type { Estimate } from '../../core/contract/bridge.ts';
import { roughBytes, roughDuration, roughRange } from '../../core/report/estimate-text.ts';
import { Facts } from './Facts.tsx';

/** Time, memory and disk that a run should take, and what that is based on. */
export function EstimateFacts({ estimate }: { readonly estimate: Estimate }) {
  const { time, memoryBytes, diskBytes, basis } = estimate;
  const facts = [
    ...(time ? [{ label: 'Time', value: `about ${roughDuration(time.likelyMs)} (${roughRange(time)})` }] : []),
    ...(memoryBytes === null ? [] : [{ label: 'Memory', value: `about ${roughBytes(memoryBytes)}` }]),
    ...(diskBytes === null ? [] : [{ label: 'Disk', value: `about ${roughBytes(diskBytes)}` }]),
  ];
  return (
    <>
      {facts.length > 0 && <Facts labelWidth={72} facts={facts} />}
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 0.5, mb: 0 }}>
        {basis}.
      </Typography>
    </>
  );
}
