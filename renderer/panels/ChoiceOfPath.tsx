import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import TextField from '@mui/material/TextField';
import Tooltip from '@mui/material/Tooltip';
import { useId, useState, type ReactNode } from 'react';
import { Icon } from '../icons/Icon.tsx';
import { FileBrowser } from './FileBrowser.tsx';
import { HelpText } from './HelpText.tsx';

interface Option {
  readonly value: string;
  readonly title: string;
  readonly note: string;
}

interface ChoiceOfPathProps {
  readonly kind: 'model' | 'data';
  readonly label: string;
  /** Behind the label. */
  readonly aside?: ReactNode;
  readonly help: string;
  readonly value: string;
  readonly options: readonly Option[];
  readonly problem: string | undefined;
  readonly onChange: (value: string) => void;
}

/** One of those that are known, a path typed in, or a file of the host found by looking around. */
export function ChoiceOfPath({ kind, label, aside, help, value, options, problem, onChange }: ChoiceOfPathProps) {
  const id = useId();
  const [isBrowsing, setBrowsing] = useState(false);
  const isBundled = options.find((option) => option.value === value);
  return (
    <Box sx={{ minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', mb: 0.25 }}>
        <Box component="label" htmlFor={id} sx={{ fontSize: '0.8125rem', fontWeight: 550 }}>
          {label}
        </Box>
        {aside}
      </Box>
      <Box sx={{ display: 'flex', gap: 0.5 }}>
        <Autocomplete
          id={id}
          freeSolo
          fullWidth
          size="small"
          value={value}
          inputValue={isBundled?.title ?? value}
          options={options.map((option) => option.value)}
          filterOptions={(all) => all}
          onChange={(_, next) => onChange(next ?? '')}
          onInputChange={(_, next, reason) => {
            if (reason === 'input' || reason === 'clear') onChange(next);
          }}
          renderOption={({ key, ...props }, each) => {
            const option = options.find((candidate) => candidate.value === each);
            return (
              <Box component="li" key={key} {...props} sx={{ display: 'flex', gap: 2, fontSize: '0.8125rem' }}>
                <Box sx={{ flex: 1 }}>{option?.title}</Box>
                <Box sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>{option?.note}</Box>
              </Box>
            );
          }}
          renderInput={(params) => <TextField {...params} error={problem !== undefined} placeholder="none" />}
        />
        <Tooltip title="Look for a file on the host">
          <IconButton aria-label={`Browse for ${label}`} onClick={() => setBrowsing(true)}>
            <Icon name="folder" />
          </IconButton>
        </Tooltip>
      </Box>
      <HelpText help={help} problem={problem} />
      {isBrowsing && <FileBrowser kind={kind} onClose={() => setBrowsing(false)} onChoose={onChange} />}
    </Box>
  );
}
