import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import FormControlLabel from '@mui/material/FormControlLabel';
import IconButton from '@mui/material/IconButton';
import Switch from '@mui/material/Switch';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import type { WorkbenchError } from '../../core/base/errors.ts';
import type { RequestParams } from '../../core/contract/bridge.ts';
import type { Settings } from '../../core/contract/settings.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { readThreads, threadsRange } from '../forms/form-model.ts';
import { DeviceField, ThreadsField } from '../forms/MachineFields.tsx';
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
  const { error: failed, run } = useAction();
  const change = (changed: RequestParams<'settings.change'>): void =>
    run(async () => bridge.request('settings.change', changed).finally(reload));
  return { settings: data, error: failed ?? error, change };
}

/** What new runs take unless they say otherwise. */
export function RunSettings() {
  const { settings, error, change } = useSettings();
  const [typed, setTyped] = useState<string | undefined>(undefined);
  if (!settings) return error ? <ErrorNote error={error} /> : <Rows count={2} />;
  const text = typed ?? String(settings.threads ?? '');
  const read = readThreads(text);
  const keep = (): void => {
    if (typed !== undefined && read !== undefined) change({ threads: read });
    setTyped(undefined);
  };
  return (
    <>
      <Box
        sx={{
          display: 'grid',
          gap: '14px 32px',
          gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 13.75rem), 1fr))',
        }}
      >
        <DeviceField value={settings.device} onChange={(device) => change({ device })} />
        <ThreadsField
          text={text}
          isWrong={read === undefined}
          placeholder="one for each core"
          helperText={read === undefined ? `Expected ${threadsRange}.` : ''}
          onChange={setTyped}
          onEnd={keep}
        />
      </Box>
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 0.75, mb: 1.5 }}>
        For new runs in this workspace; each may say otherwise.
      </Typography>
      <FormControlLabel
        control={
          <Switch
            size="small"
            checked={settings.looksAhead}
            onChange={({ target }) => change({ looksAhead: target.checked })}
          />
        }
        label="Look ahead by itself"
        slotProps={{ typography: { sx: { fontSize: '0.8125rem', fontWeight: 550, ml: 0.75 } } }}
        sx={{ ml: 0 }}
      />
      <Typography variant="caption" color="textSecondary" component="p" sx={{ m: 0 }}>
        Methods that can say what to expect try it for some seconds, when a form is complete and rests and no run
        computes.
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
                <Icon name="close" sx={{ fontSize: '1rem' }} />
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
