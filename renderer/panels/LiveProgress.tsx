import { formatDuration, formatFraction } from '../../core/report/format.ts';
import { useProgress } from '../bridge/use-progress.ts';
import { humanise } from './run-text.ts';

interface LiveProgressProps {
  readonly runId: string;
  readonly show: 'share' | 'phase' | 'left';
}

/** One thing about a run that computes, by itself: what is around it is not drawn anew ten times a second. */
export function LiveProgress({ runId, show }: LiveProgressProps) {
  const progress = useProgress(runId);
  if (!progress) return null;
  const { phase, fraction, remainingMs } = progress;
  if (show === 'phase') return humanise(phase);
  if (show === 'left') return remainingMs === null ? null : `${formatDuration(remainingMs)} left`;
  return <span className="figures">{formatFraction(fraction, 0)}</span>;
}
