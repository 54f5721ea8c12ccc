import Box from '@mui/material/Box';
import LinearProgress from '@mui/material/LinearProgress';
import Typography from '@mui/material/Typography';
import type { RunDetails } from '../../../core/contract/history.ts';
import { formatDuration, formatFraction, formatNumber } from '../../../core/report/format.ts';
import { humanise } from '../run-text.ts';

/** Phase, share done and time left of a run that waits or computes. */
export function ProgressBlock({ details }: { readonly details: RunDetails }) {
  const { progress, queuePosition, record } = details;
  if (record.state === 'queued') {
    const ahead = queuePosition ?? 0;
    return (
      <Frame
        title={ahead === 0 ? 'Waiting, next in line' : `Waiting, ${ahead} ${ahead === 1 ? 'run' : 'runs'} ahead`}
        value={progress?.fraction ?? 0}
      />
    );
  }
  if (!progress) return <Frame title="Starting" note="opening the models" />;
  const { phase, step, totalSteps, fraction, remainingMs } = progress;
  return (
    <Frame
      title={humanise(phase)}
      note={`step ${formatNumber(Math.round(step))} of ${formatNumber(totalSteps)}`}
      value={fraction}
      left={remainingMs === null ? 'estimating the time left' : `${formatDuration(remainingMs)} left`}
    />
  );
}

interface FrameProps {
  readonly title: string;
  readonly note?: string;
  readonly value?: number;
  readonly left?: string;
}

function Frame({ title, note, value, left }: FrameProps) {
  return (
    <Box sx={{ mb: 4 }}>
      <Box className="figures" sx={{ display: 'flex', gap: 1.5, alignItems: 'baseline', mb: 1 }}>
        <Typography variant="h2">{title}</Typography>
        <Typography variant="body2" color="textSecondary">
          {note}
        </Typography>
        <Typography variant="body2" sx={{ ml: 'auto' }}>
          {left}
        </Typography>
        <Typography variant="h2" sx={{ minWidth: 58, textAlign: 'right' }}>
          {value === undefined ? '' : formatFraction(value, 1)}
        </Typography>
      </Box>
      <LinearProgress
        aria-label={title}
        variant={value === undefined ? 'indeterminate' : 'determinate'}
        {...(value === undefined ? {} : { value: 100 * Math.min(1, value) })}
      />
    </Box>
  );
}
