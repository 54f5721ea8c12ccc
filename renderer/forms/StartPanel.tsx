import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useCallback } from 'react';
import type { WorkbenchError } from '../../core/base/errors.ts';
import type { Assessment, Complaint } from '../../core/contract/bridge.ts';
import { useRequest, type Loaded } from '../bridge/use-bridge.ts';
import { useMeasuring } from '../bridge/use-measuring.ts';
import { Icon } from '../icons/Icon.tsx';
import { CopyButton } from '../panels/CopyButton.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { EstimateFacts } from '../panels/EstimateFacts.tsx';
import { Section } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';

interface StartPanelProps {
  readonly assessment: Loaded<Assessment>;
  readonly isWaiting: boolean;
  /** Runs that would be started. */
  readonly count: number;
  /** Fields to be filled in or mended. */
  readonly wrong: number;
  /** Fields that nobody has come to yet. */
  readonly missing: number;
  /** Complaints about what no field of the form shows. */
  readonly others: readonly Complaint[];
  readonly error: WorkbenchError | undefined;
  readonly isStarting: boolean;
  /** The command line of the form as it is now, which the assessment follows a moment later. */
  readonly makeCommand: () => Promise<string>;
}

/** What the run costs, what keeps it from starting, and the button that starts it. */
export function StartPanel(props: StartPanelProps) {
  const { assessment, isWaiting, count, wrong, missing, others, error, isStarting, makeCommand } = props;
  const isMany = count > 1;
  return (
    <Box sx={{ mb: 4 }}>
      <Section title={isMany ? `What all ${count} cost` : 'What it costs'}>
        <Cost assessment={assessment} isWrong={wrong + missing > 0} isWaiting={isWaiting} />
      </Section>
      {others.map(({ field, message, hint }) => (
        <Alert key={field} severity="warning" sx={{ mb: 1.5 }}>
          {message} {hint}
        </Alert>
      ))}
      {error && (
        <Box sx={{ mb: 1.5 }}>
          <ErrorNote error={error} />
        </Box>
      )}
      {wrong > 0 && (
        <Typography variant="body2" color="error" sx={{ mb: 1.5 }} role="status">
          {wrong === 1 ? 'One field has' : `${wrong} fields have`} to be filled in or mended.
        </Typography>
      )}
      {wrong === 0 && missing > 0 && (
        <Typography variant="body2" color="textSecondary" sx={{ mb: 1.5 }}>
          {missing === 1 ? 'One field is' : `${missing} fields are`} still to be filled in.
        </Typography>
      )}
      <Box sx={{ display: 'flex', gap: 1, flexWrap: 'wrap' }}>
        <Button
          type="submit"
          variant="contained"
          size="large"
          startIcon={<Icon name="play" />}
          disabled={wrong > 0 || isStarting || (missing === 0 && assessment.data === undefined)}
          sx={{ minHeight: 38, flex: '1 0 auto' }}
        >
          {isMany ? `Start ${count} runs` : 'Start'}
        </Button>
        {assessment.data?.command && <CopyButton isWide text={makeCommand} title="Copy as command line" />}
      </Box>
    </Box>
  );
}

interface CostProps {
  readonly assessment: Loaded<Assessment>;
  readonly isWrong: boolean;
  readonly isWaiting: boolean;
}

function Cost({ assessment, isWrong, isWaiting }: CostProps) {
  const machine = useRequest('machine.facts', {});
  const { reload } = assessment;
  const reloadMachine = machine.reload;
  const again = useCallback(() => {
    reload();
    reloadMachine();
  }, [reload, reloadMachine]);
  const measuring = useMeasuring(again);
  const { data, error, isLoading } = assessment;
  if (error) return <ErrorNote error={error} />;
  if (isWrong) return <Words>Said when the form is complete.</Words>;
  if (!data?.estimate || isWaiting) return <Rows count={3} />;
  const isUnmeasured = data.estimate.time === null && machine.data?.measured === null;
  return (
    <Box aria-busy={isLoading}>
      <EstimateFacts estimate={data.estimate} />
      {isUnmeasured && (
        <Button onClick={measuring.start} disabled={measuring.isMeasuring} sx={{ ml: -1, mt: 0.5 }}>
          {measuring.isMeasuring ? 'Measuring, a few seconds …' : 'Measure this machine'}
        </Button>
      )}
      {measuring.error && <ErrorNote error={measuring.error} />}
    </Box>
  );
}

function Words({ children }: { readonly children: string }) {
  return (
    <Typography variant="body2" color="textSecondary">
      {children}
    </Typography>
  );
}
