import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import type { MachineFacts } from '../../core/contract/machine.ts';
import { formatBytes, formatNumber } from '../../core/report/format.ts';
import { hasAddress } from '../bridge/connect.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge } from '../bridge/use-bridge.ts';
import { CopyButton } from './CopyButton.tsx';
import { ErrorNote } from './ErrorNote.tsx';
import { Facts, type Fact } from './Facts.tsx';
import { Section } from './Page.tsx';

/** Where everything is kept, and how to keep it elsewhere. */
export function WorkspaceFolder({ workspace }: Pick<MachineFacts, 'workspace'>) {
  return (
    <Section title="Workspace" aside={<CopyButton text={workspace.dir} title="Copy the path" />}>
      <Facts facts={facts(workspace)} />
      {hasAddress() ? (
        <Note>
          For another one, end the server and start it with <code>palimpsest serve --workspace DIR</code>.
        </Note>
      ) : (
        <Change />
      )}
    </Section>
  );
}

/** In the application, whose dialog chooses the folder. */
function Change() {
  const bridge = useBridge();
  const { isBusy, error, run } = useAction();
  const change = (): void =>
    run(async () => {
      const { isChanged } = await bridge.request('workspace.change', {});
      // Nothing on any page is about this workspace any more.
      if (isChanged) location.reload();
    });
  return (
    <>
      <Note>
        Runs, models and settings of this one stay where they are. A run that is being computed is stopped first, at a
        safe point, if you agree. A folder with other things in it gets one of its own.
      </Note>
      <Button variant="outlined" disabled={isBusy} onClick={change}>
        Change workspace
      </Button>
      {error && <ErrorNote error={error} />}
    </>
  );
}

function Note({ children }: { readonly children: ReactNode }) {
  return (
    <Typography variant="body2" color="textSecondary" sx={{ my: 1 }}>
      {children}
    </Typography>
  );
}

function facts({ dir, runs, freeBytes }: MachineFacts['workspace']): Fact[] {
  return [
    { label: 'Folder', value: <code>{dir}</code> },
    { label: 'Runs', value: formatNumber(runs) },
    ...(freeBytes === null ? [] : [{ label: 'Free space', value: formatBytes(freeBytes) }]),
  ];
}
