import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import type { RequestParams } from '../../core/contract/bridge.ts';
import { deviceNames } from '../../core/contract/run.ts';
import type { Settings } from '../../core/contract/settings.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { deviceTitles } from '../forms/device-titles.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from './ErrorNote.tsx';
import { FileBrowser } from './FileBrowser.tsx';
import { Rows } from './PageSkeleton.tsx';

interface Kept {
  readonly settings: Settings | undefined;
  readonly error: WorkbenchError | undefined;
  change(changed: RequestParams<'settings.change'>): void;
}

function useSettings(): Kept {
  const bridge = useBridge();
  const { data, error, reload } = useRequest('settings.get', {});
  const [failed, setFailed] = useState<WorkbenchError | undefined>(undefined);
  const change = (changed: RequestParams<'settings.change'>): void => {
    setFailed(undefined);
    bridge
      .request('settings.change', changed)
      .catch((thrown: unknown) => setFailed(toWorkbenchError(thrown)))
      .finally(reload);
  };
  return { settings: data, error: failed ?? error, change };
}

/** What new runs take unless they say otherwise. */
export function RunSettings() {
  const { settings, error, change } = useSettings();
  const [typed, setTyped] = useState<string | undefined>(undefined);
  if (!settings) return error ? <ErrorNote error={error} /> : <Rows count={2} />;
  const text = typed ?? String(settings.threads ?? '');
  const threads = Number(text);
  const isSound = text === '' || (Number.isInteger(threads) && threads >= 1 && threads <= 256);
  const keep = (): void => {
    if (typed !== undefined && isSound) change({ threads: text === '' ? null : threads });
    setTyped(undefined);
  };
  return (
    <>
      <Box sx={{ display: 'grid', gap: '14px 32px', gridTemplateColumns: 'repeat(auto-fill, minmax(220px, 1fr))' }}>
        <TextField
          select
          label="Device"
          value={settings.device}
          onChange={({ target }) => change({ device: deviceNames.find((name) => name === target.value) ?? 'auto' })}
        >
          {deviceNames.map((name) => (
            <MenuItem key={name} value={name}>
              {deviceTitles[name]}
            </MenuItem>
          ))}
        </TextField>
        <TextField
          label="Threads"
          placeholder="one for each core"
          value={text}
          error={!isSound}
          helperText={isSound ? '' : 'A whole number from 1 to 256.'}
          onChange={({ target }) => setTyped(target.value.trim())}
          onBlur={keep}
          onKeyDown={({ key }) => key === 'Enter' && keep()}
          slotProps={{ htmlInput: { inputMode: 'numeric' }, inputLabel: { shrink: true } }}
        />
      </Box>
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 0.75, mb: 0 }}>
        For new runs in this workspace; each may say otherwise.
      </Typography>
      {error && <ErrorNote error={error} />}
    </>
  );
}

/** Folders that are offered first where a file is chosen. */
export function Places() {
  const { settings, error, change } = useSettings();
  const [isBrowsing, setBrowsing] = useState(false);
  const places = settings?.places ?? [];
  return (
    <>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 1 }}>
        Folders of the machine that computes. They are offered first where a model or data set is chosen.
      </Typography>
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
        {places.map((place) => (
          <Box component="li" key={place} sx={{ display: 'flex', alignItems: 'center', gap: 1 }}>
            <Box component="code" sx={{ flex: 1, overflowWrap: 'anywhere' }}>
              {place}
            </Box>
            <Tooltip title="Take off the list">
              <IconButton
                aria-label={`Take ${place} off the list`}
                onClick={() => change({ places: places.filter((each) => each !== place) })}
              >
                <Icon name="close" sx={{ fontSize: 16 }} />
              </IconButton>
            </Tooltip>
          </Box>
        ))}
      </Box>
      <Button variant="outlined" onClick={() => setBrowsing(true)} sx={{ mt: places.length > 0 ? 1 : 0 }}>
        Add a folder
      </Button>
      {isBrowsing && (
        <FileBrowser
          kind="folder"
          onClose={() => setBrowsing(false)}
          onChoose={(place) => change({ places: [...new Set([...places, place])] })}
        />
      )}
      {error && <ErrorNote error={error} />}
    </>
  );
}
