import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import { useState } from 'react';
import { useAction } from '../../bridge/use-action.ts';
import { useBridge } from '../../bridge/use-bridge.ts';
import { Icon } from '../../icons/Icon.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { TagButton } from '../TagButton.tsx';

interface SelectionActionsProps {
  readonly runIds: readonly string[];
  readonly isTrash: boolean;
  /** The runs have changed. */
  readonly onDone: () => void;
  /** They have left the table. */
  readonly onMoved: () => void;
}

/** What can be done with the runs chosen in the table. They stay chosen when it fails. */
export function SelectionActions({ runIds, isTrash, onDone, onMoved }: SelectionActionsProps) {
  const bridge = useBridge();
  const { isBusy, error, run } = useAction();
  const [isAsking, setAsking] = useState(false);
  const isChosen = runIds.length > 0;
  const act = (name: 'runs.trash' | 'runs.restore' | 'runs.purge'): void => {
    setAsking(false);
    run(async () => {
      await bridge.request(name, { runIds: [...runIds] }).finally(onDone);
      onMoved();
    });
  };
  return (
    <>
      {isChosen && isTrash && (
        <Button variant="outlined" disabled={isBusy} onClick={() => act('runs.restore')}>
          Take back
        </Button>
      )}
      {isChosen && !isTrash && <TagButton runIds={runIds} onDone={onDone} />}
      {isChosen && (
        <Button
          variant="outlined"
          startIcon={<Icon name="trash" />}
          disabled={isBusy}
          onClick={() => (isTrash ? setAsking(true) : act('runs.trash'))}
        >
          {isTrash ? 'Delete for good' : 'Delete'}
        </Button>
      )}
      {error && (
        <Box sx={{ flexBasis: '100%' }}>
          <ErrorNote error={error} />
        </Box>
      )}
      <Dialog open={isAsking} onClose={() => setAsking(false)}>
        <DialogTitle>Delete {runIds.length === 1 ? 'this run' : `these ${runIds.length} runs`} for good?</DialogTitle>
        <DialogContent>Figures, images and files go with it. Nothing brings them back.</DialogContent>
        <DialogActions>
          <Button onClick={() => setAsking(false)}>Keep</Button>
          <Button color="error" onClick={() => act('runs.purge')}>
            Delete for good
          </Button>
        </DialogActions>
      </Dialog>
    </>
  );
}
