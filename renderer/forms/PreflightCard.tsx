import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { Check, Preflight } from '../../core/contract/preflight.ts';
import { roughDuration } from '../../core/report/estimate-text.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Facts } from '../panels/Facts.tsx';
import { Section } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';
import { useLookAhead } from './use-look-ahead.ts';

interface PreflightCardProps {
  /** What is measured. */
  readonly help: string;
  /** The run as the form has it; undefined while something is missing or wrong. */
  readonly request: DraftRequest | undefined;
  /** Runs that the form makes; the first is looked at. */
  readonly count: number;
}

/** Kept from the start where findings come by themselves: nothing below may move under a reader's eyes. */
const keptHeight = 264;

/** What can be expected of the run, measured while the form rests or when it is asked for, before anything starts. */
export function PreflightCard({ help, request, count }: PreflightCardProps) {
  const { found, isStale, isLooking, error, isByItself, look, stop } = useLookAhead(request);
  const kept = isByItself === true ? { height: keptHeight, overflowY: 'auto' } : {};
  return (
    <Section title="What can be expected">
      <Box
        aria-live="polite"
        aria-busy={isLooking}
        aria-label="What can be expected"
        role="group"
        tabIndex={isByItself === true ? 0 : -1}
        sx={{ ...kept, pr: 0.5, opacity: isStale ? 0.55 : 1, transition: 'opacity 200ms' }}
      >
        {error && <ErrorNote error={error} />}
        {found && !error && <Findings found={found} />}
        {!found && !error && (
          <>
            <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
              {help}
            </Typography>
            {isByItself === true && request === undefined && (
              <Typography variant="body2" color="textSecondary">
                It is looked at by itself when the form is complete and rests.
              </Typography>
            )}
            {isByItself === true && request !== undefined && <Rows count={4} />}
          </>
        )}
      </Box>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.25, mt: 1 }}>
        <Button
          variant="outlined"
          onClick={isLooking ? stop : look}
          disabled={request === undefined}
          sx={{ minWidth: 106 }}
        >
          {isLooking ? 'Stop' : found ? 'Look again' : 'Look ahead'}
        </Button>
        <Typography variant="caption" color="textSecondary" role="status">
          {isLooking
            ? 'Looking, some seconds …'
            : isStale
              ? 'The form has changed since.'
              : count > 1
                ? `At the first of ${count} runs.`
                : ''}
        </Typography>
      </Box>
    </Section>
  );
}

function Findings({ found: { facts, checks, likelyMs } }: { readonly found: Preflight }) {
  const time = likelyMs === null ? [] : [{ label: 'Attacks', value: `about ${roughDuration(likelyMs)}` }];
  // What is to be minded comes first.
  const sorted = checks.toSorted((a, b) => Number(a.isGood) - Number(b.isGood));
  return (
    <>
      <Box component="ul" sx={{ listStyle: 'none', m: 0, mb: 1.5, p: 0 }}>
        {sorted.map((check) => (
          <Finding key={check.finding} check={check} />
        ))}
      </Box>
      <Facts labelWidth={84} facts={[...facts.map(([label, value]) => ({ label, value })), ...time]} />
    </>
  );
}

function Finding({ check: { isGood, finding, measured, threshold, advice } }: { readonly check: Check }) {
  const figures = [measured, threshold === '' ? '' : `matters from: ${threshold}`].filter((text) => text !== '');
  return (
    <Box
      component="li"
      sx={{
        display: 'grid',
        gridTemplateColumns: '18px minmax(0, 1fr)',
        gap: 1,
        py: 0.75,
        fontSize: '0.8125rem',
        '& + &': { borderTop: 1, borderColor: 'divider' },
      }}
    >
      <Icon
        name={isGood ? 'check' : 'warning'}
        sx={{ fontSize: '1rem', mt: '1px', color: isGood ? 'success.main' : 'warning.main' }}
      />
      <Box>
        <Box component="span" sx={visuallyHidden}>
          {isGood ? 'In order: ' : 'Warning: '}
        </Box>
        {finding}
        {advice !== '' && <Box sx={{ fontWeight: 550, mt: 0.25 }}>{advice}</Box>}
        {figures.length > 0 && (
          <Box sx={{ color: 'text.secondary', fontSize: '0.75rem', mt: 0.25, overflowWrap: 'anywhere' }}>
            {figures.join('; ')}
          </Box>
        )}
      </Box>
    </Box>
  );
}

const visuallyHidden = {
  position: 'absolute',
  width: '1px',
  height: '1px',
  overflow: 'hidden',
  clipPath: 'inset(50%)',
};
