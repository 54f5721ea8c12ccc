import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { Check, Preflight } from '../../core/contract/preflight.ts';
import { roughDuration } from '../../core/report/estimate-text.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Facts } from '../panels/Facts.tsx';
import { Section } from '../panels/Page.tsx';

interface PreflightCardProps {
  /** What is measured. */
  readonly help: string;
  /** The run as the form has it; undefined while something is missing or wrong. */
  readonly request: DraftRequest | undefined;
}

interface Looked {
  readonly key: string;
  readonly found: Preflight;
}

/** What can be expected of the run, measured when it is asked for, before anything starts. */
export function PreflightCard({ help, request }: PreflightCardProps) {
  const bridge = useBridge();
  const { isBusy: isLooking, error, run } = useAction();
  const [looked, setLooked] = useState<Looked | undefined>(undefined);
  const key = JSON.stringify(request);
  const isStale = looked !== undefined && looked.key !== key;
  const look = (): void => {
    if (!request) return;
    run(async () => setLooked({ key, found: await bridge.request('runs.lookAhead', request) }));
  };
  return (
    <Section title="What can be expected">
      {!looked && (
        <Typography variant="body2" color="textSecondary" sx={{ mb: 1 }}>
          {help}
        </Typography>
      )}
      <Box aria-live="polite" aria-busy={isLooking}>
        {error && <ErrorNote error={error} />}
        {looked && !error && <Findings found={looked.found} />}
      </Box>
      {isStale && (
        <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1, mb: 0 }}>
          The form has changed since.
        </Typography>
      )}
      <Button variant="outlined" onClick={look} disabled={request === undefined || isLooking} sx={{ mt: 1 }}>
        {isLooking ? 'Looking, some seconds …' : looked ? 'Look again' : 'Look ahead'}
      </Button>
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
        sx={{ fontSize: 16, mt: '1px', color: isGood ? 'success.main' : 'warning.main' }}
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

const visuallyHidden = { position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' };
