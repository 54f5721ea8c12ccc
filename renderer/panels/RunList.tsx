import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import type { RunRow } from '../../core/contract/history.ts';
import { formatDuration } from '../../core/report/format.ts';
import { hrefOf } from '../app/routes.ts';
import { LiveProgress } from './LiveProgress.tsx';
import { runChanges } from './run-changes.ts';
import { formatWhen, headline, reason, isActive, runSubjects, runTitle } from './run-text.ts';
import { StateMark } from './StateMark.tsx';

/** A few runs, two lines each. */
export function RunList({ rows }: { readonly rows: readonly RunRow[] }) {
  const now = Date.now();
  return (
    <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
      {rows.map((row) => (
        <Box component="li" key={row.runId} sx={{ '& + &': { borderTop: 1, borderColor: 'divider' } }}>
          <Link
            href={hrefOf({ page: 'run', runId: row.runId })}
            underline="none"
            color="textPrimary"
            sx={{
              display: 'grid',
              gridTemplateColumns: { xs: 'minmax(0, 1fr) auto', sm: '6.5rem minmax(0, 1fr) auto' },
              alignItems: 'start',
              gap: 2,
              py: 1,
              px: 1,
              mx: -1,
              borderRadius: 1,
              fontSize: '0.8125rem',
              '&:hover': { bgcolor: 'action.hover' },
            }}
          >
            <StateMark state={row.state} isPaused={row.isPaused} />
            <Box sx={{ minWidth: 0 }}>
              <Box sx={{ fontWeight: 550 }}>{runTitle(row)}</Box>
              <Box
                title={reason(row) ?? runChanges(row)}
                sx={{ color: 'text.secondary', overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}
              >
                {reason(row) ?? [runSubjects(row), runChanges(row)].filter(Boolean).join(' · ')}
              </Box>
            </Box>
            <Box sx={{ textAlign: 'right', whiteSpace: 'nowrap' }}>
              <Box sx={{ fontWeight: 550 }}>
                {row.state === 'running' ? (
                  <LiveProgress runId={row.runId} show="share" />
                ) : (
                  (headline(row) ?? (isActive(row.state) ? '' : '–'))
                )}
              </Box>
              <Box sx={{ color: 'text.secondary' }}>
                {row.state === 'running' ? (
                  <LiveProgress runId={row.runId} show="left" />
                ) : (
                  formatWhen(row.createdAtMs, now)
                )}
                {row.state !== 'running' && row.durationMs > 0 && ` · ${formatDuration(row.durationMs)}`}
              </Box>
            </Box>
          </Link>
        </Box>
      ))}
    </Box>
  );
}
