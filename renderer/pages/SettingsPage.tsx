import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import type { MachineFacts } from '../../core/contract/machine.ts';
import { formatBytes, formatInstant, formatNumber } from '../../core/report/format.ts';
import { chooseTheme, themeChoices, useThemeChoice } from '../app/settings.ts';
import { hasAddress } from '../bridge/connect.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { useMeasuring } from '../bridge/use-measuring.ts';
import { CopyButton } from '../panels/CopyButton.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Facts, type Fact } from '../panels/Facts.tsx';
import { Page, Section } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';
import { humanise } from '../panels/run-text.ts';
import { Places, RunSettings } from '../panels/Preferences.tsx';
import { WorkspaceFolder } from '../panels/WorkspaceFolder.tsx';

/** The look of the window, and what this machine can do. */
export function SettingsPage() {
  const machine = useRequest('machine.facts', {});
  const { isMeasuring, error, start } = useMeasuring(machine.reload);
  return (
    <Page title="Settings" width={820}>
      <Section title="Look">
        <Theme />
      </Section>
      <Section title="Runs">
        <RunSettings />
      </Section>
      <Section title="Where models and data lie">
        <Places />
      </Section>
      <Section
        title="Doctor"
        aside={
          <Button onClick={start} disabled={isMeasuring}>
            {isMeasuring ? 'Measuring, a few seconds …' : 'Check and measure'}
          </Button>
        }
      >
        {error && <ErrorNote error={error} />}
        {machine.error && <ErrorNote error={machine.error} />}
        {!machine.data && !machine.error && <Rows count={8} />}
        {machine.data && <Facts facts={doctor(machine.data)} />}
      </Section>
      {machine.data && <WorkspaceFolder workspace={machine.data.workspace} />}
      {hasAddress() && (
        <Section title="Another window">
          <Invite />
        </Section>
      )}
    </Page>
  );
}

function Theme() {
  const choice = useThemeChoice();
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      value={choice}
      aria-label="Theme"
      onChange={(_, next: typeof choice | null) => next && chooseTheme(next)}
    >
      {themeChoices.map((each) => (
        <ToggleButton key={each} value={each}>
          {each === 'system' ? 'As the system' : humanise(each)}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

function Invite() {
  const bridge = useBridge();
  const [url, setUrl] = useState<string | undefined>(undefined);
  const { isBusy, error, run } = useAction();
  const make = (): void => run(async () => setUrl((await bridge.request('session.invite', {})).url));
  return (
    <>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1 }}>
        An address with a token that works once. Whoever has it can do here what you can.
      </Typography>
      {url === undefined ? (
        <Button variant="outlined" disabled={isBusy} onClick={make}>
          Make an address
        </Button>
      ) : (
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 1 }}>
          <code>{url}</code>
          <CopyButton text={url} title="Copy the address" />
        </Box>
      )}
      {error && <ErrorNote error={error} />}
    </>
  );
}

function doctor(facts: MachineFacts): Fact[] {
  const { memory, measured } = facts;
  return [
    { label: 'Palimpsest', value: facts.palimpsest },
    { label: 'Node', value: facts.node },
    { label: 'onnxruntime', value: facts.onnxruntime },
    { label: 'System', value: facts.platform },
    { label: 'Processor', value: `${facts.cpu}, ${facts.cores} cores for this process` },
    { label: 'Threads', value: `${facts.threads} unless a run says otherwise` },
    { label: 'Memory', value: `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free` },
    ...(measured?.devices ?? []).map(({ device, available, reason, hint }) => ({
      label: `Device ${device}`,
      value: available ? 'works' : [`no: ${firstLine(reason ?? 'unknown reason')}`, hint].filter(Boolean).join(' '),
    })),
    ...(measured?.speed ?? []).map(({ device, threads, gflops }) => ({
      label: 'Speed',
      value: `${formatNumber(Math.round(gflops * 10) / 10)} GFLOP/s on ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    })),
    { label: 'Measured', value: measured ? formatInstant(measured.atMs, 'minute') : 'not yet; estimates need it' },
  ].map((fact, index, all) => ({ ...fact, label: unique(fact.label, index, all) }));
}

/** Labels are keys too; of equal ones the later ones are shown empty. */
function unique(label: string, index: number, all: readonly { readonly label: string }[]): string {
  const before = all.slice(0, index).filter((each) => each.label === label).length;
  return before === 0 ? label : '\u200b'.repeat(before);
}

const firstLine = (text: string): string => text.split('\n')[0] ?? text;
