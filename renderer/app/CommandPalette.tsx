import Box from '@mui/material/Box';
import Dialog from '@mui/material/Dialog';
import InputBase from '@mui/material/InputBase';
import { useMemo, useState, type KeyboardEvent } from 'react';
import { catalogue } from '../../core/methods/catalogue.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { rank, type Command } from './commands.ts';
import { runTitle } from '../panels/run-text.ts';
import { chooseTheme } from './settings.ts';
import { goTo } from './use-route.ts';

const shownAtMost = 9;

/** Ctrl-K: every page, method and recent run by a few letters. */
export function CommandPalette({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Dialog
      open={isOpen}
      onClose={onClose}
      fullWidth
      maxWidth="sm"
      aria-labelledby="palette-words"
      sx={{ '& .MuiDialog-container': { alignItems: 'flex-start', pt: '12vh' } }}
    >
      <Choice onClose={onClose} />
    </Dialog>
  );
}

function Choice({ onClose }: { readonly onClose: () => void }) {
  const { data: recent } = useRequest('runs.list', { limit: 50 });
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const { data: models } = useRequest('models.list', {});
  const { data: sets } = useRequest('data.list', {});
  const commands = useMemo(
    () => [
      ...fixedCommands,
      ...(models ?? []).map(({ path, name }): Command => {
        return { id: path, title: name, kind: 'model', act: () => goTo({ page: 'models', path }) };
      }),
      ...(sets ?? []).map(({ path, name }): Command => {
        return { id: path, title: name, kind: 'data', act: () => goTo({ page: 'data', path }) };
      }),
      ...(recent?.rows ?? []).map((row) => runCommand(row.runId, runTitle(row))),
    ],
    [recent, models, sets],
  );
  const found = rank(commands, text).slice(0, shownAtMost);
  const choose = (command: Command | undefined): void => {
    if (!command) return;
    onClose();
    command.act();
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((before) => (before + step + found.length) % Math.max(1, found.length));
    }
    if (event.key === 'Enter') choose(found[at]);
  };
  return (
    <Box onKeyDown={onKey}>
      <Box
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 1.5,
          px: 2,
          py: 1.25,
          borderBottom: 1,
          borderColor: 'divider',
        }}
      >
        <Icon name="search" sx={{ fontSize: '1.125rem', color: 'text.secondary' }} />
        <InputBase
          inputRef={(input: HTMLInputElement | null) => input?.focus()}
          fullWidth
          value={text}
          placeholder="A page, a method, a model, a run …"
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          inputProps={{
            id: 'palette-words',
            role: 'combobox',
            'aria-label': 'Go to',
            'aria-expanded': true,
            'aria-controls': 'palette',
            'aria-activedescendant': `palette-${at}`,
          }}
        />
      </Box>
      <Box id="palette" role="listbox" aria-label="Places" sx={{ py: 0.5, minHeight: 120 }}>
        {found.length === 0 && <Box sx={{ px: 2, py: 1.5, color: 'text.secondary' }}>Nothing is called that.</Box>}
        {found.map((command, index) => (
          <Box
            key={command.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseMove={() => setAt(index)}
            onClick={() => choose(command)}
            sx={{
              display: 'flex',
              justifyContent: 'space-between',
              alignItems: 'baseline',
              gap: 2,
              px: 2,
              py: 0.75,
              cursor: 'pointer',
              bgcolor: index === at ? 'primary.light' : 'transparent',
            }}
          >
            <span>{command.title}</span>
            <Box component="span" sx={{ color: 'text.secondary', fontSize: '0.75rem', whiteSpace: 'nowrap' }}>
              {command.kind}
            </Box>
          </Box>
        ))}
      </Box>
    </Box>
  );
}

const fixedCommands: readonly Command[] = [
  { id: 'start', title: 'Start', kind: 'page', act: () => goTo({ page: 'start' }) },
  { id: 'runs', title: 'Runs', kind: 'page', act: () => goTo({ page: 'runs' }) },
  { id: 'models', title: 'Models', kind: 'page', act: () => goTo({ page: 'models' }) },
  { id: 'data', title: 'Data', kind: 'page', act: () => goTo({ page: 'data' }) },
  { id: 'settings', title: 'Settings and doctor', kind: 'page', act: () => goTo({ page: 'settings' }) },
  ...catalogue.map((spec): Command => {
    return { id: spec.id, title: spec.title, kind: 'new run', act: () => goTo({ page: 'new', methodId: spec.id }) };
  }),
  { id: 'light', title: 'Light theme', kind: 'setting', act: () => chooseTheme('light') },
  { id: 'dark', title: 'Dark theme', kind: 'setting', act: () => chooseTheme('dark') },
  { id: 'system', title: 'Theme of the system', kind: 'setting', act: () => chooseTheme('system') },
];

function runCommand(runId: string, title: string): Command {
  return { id: runId, title: `${title} · ${runId}`, kind: 'run', act: () => goTo({ page: 'run', runId }) };
}
