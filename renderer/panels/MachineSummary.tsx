import Button from '@mui/material/Button';
import type { MachineFacts } from '../../core/contract/machine.ts';
import { formatBytes, formatNumber } from '../../core/report/format.ts';
import type { Measuring } from '../bridge/use-measuring.ts';
import { Facts, type Fact } from './Facts.tsx';

interface MachineSummaryProps {
  readonly facts: MachineFacts;
  readonly measuring: Measuring;
}

/** Processor, memory, devices, measured speed, free space. */
export function MachineSummary({ facts, measuring }: MachineSummaryProps) {
  const { memory, workspace, measured } = facts;
  const devices = (measured?.devices ?? []).filter(({ available }) => available).map(({ device }) => device);
  const fastest = measured?.speed.toSorted((a, b) => b.gflops - a.gflops)[0];
  const rows: Fact[] = [
    { label: 'Processor', value: `${facts.cpu}, ${facts.cores} ${facts.cores === 1 ? 'core' : 'cores'}` },
    { label: 'Memory', value: `${formatBytes(memory.freeBytes)} free of ${formatBytes(memory.totalBytes)}` },
    { label: 'Devices', value: measured ? devices.join(', ') || 'none' : 'not measured yet' },
    {
      label: 'Speed',
      value: (
        <>
          {fastest &&
            `${formatNumber(Math.round(fastest.gflops))} GFLOP/s on ${fastest.device}, ${fastest.threads} ${fastest.threads === 1 ? 'thread' : 'threads'}, ${dayOf(measured?.atMs)}. `}
          <Button onClick={measuring.start} disabled={measuring.isMeasuring} sx={{ p: 0, minHeight: 0, minWidth: 0 }}>
            {measuring.isMeasuring ? 'Measuring …' : fastest ? 'Again' : 'Measure now'}
          </Button>
        </>
      ),
    },
    {
      label: 'Workspace',
      value:
        workspace.freeBytes === null ? workspace.dir : `${workspace.dir}, ${formatBytes(workspace.freeBytes)} free`,
    },
  ];
  return <Facts facts={rows} labelWidth={92} />;
}

const dayOf = (atMs = 0): string => new Date(atMs).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
