import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { useId, useState, type ReactNode } from 'react';
import { valuesIn } from '../../core/methods/sweep-values.ts';
import { Icon } from '../icons/Icon.tsx';
import { FileBrowser } from '../panels/FileBrowser.tsx';
import { HelpText } from '../panels/HelpText.tsx';
import { ToggleRow } from './ToggleRow.tsx';

interface SeveralPathsProps {
  readonly kind: 'model' | 'data';
  readonly label: string;
  /** Behind the label. */
  readonly aside: ReactNode;
  readonly options: readonly { readonly value: string; readonly title: string }[];
  /** Paths or architectures, a line each. */
  readonly text: string;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
}

/** Any number of those that are known, and of others that are looked for on the host. */
export function SeveralPaths({ kind, label, aside, options, text, problem, onChange }: SeveralPathsProps) {
  const id = useId();
  const [isBrowsing, setBrowsing] = useState(false);
  const chosen = valuesIn(text);
  const titles = new Map(options.map((option) => [option.value, option.title]));
  const others = chosen.filter((path) => !titles.has(path));
  return (
    <Box sx={{ minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', mb: 0.25 }}>
        <Box component="label" id={`${id}-label`} htmlFor={id} sx={{ fontSize: '0.8125rem', fontWeight: 550 }}>
          {label}
        </Box>
        {aside}
      </Box>
      <Box sx={{ display: 'flex', gap: 0.5, alignItems: 'start' }}>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <ToggleRow
            id={id}
            choices={[...titles.keys(), ...others]}
            titles={new Map([...titles, ...others.map((path) => [path, lastPart(path)] as const)])}
            chosen={chosen}
            isWrong={problem !== undefined}
            onChange={(next) => onChange(next.join('\n'))}
          />
        </Box>
        <Tooltip title="Look for another on the host">
          <IconButton aria-label={`Browse for ${label}`} onClick={() => setBrowsing(true)}>
            <Icon name="folder" />
          </IconButton>
        </Tooltip>
      </Box>
      <HelpText id={`${id}-help`} help="A run for each that is chosen." problem={problem} />
      {isBrowsing && (
        <FileBrowser
          kind={kind}
          onClose={() => setBrowsing(false)}
          onChoose={(path) => onChange([...chosen, path].join('\n'))}
        />
      )}
    </Box>
  );
}

const lastPart = (path: string): string =>
  path
    .split(/[/\\]/)
    .filter((part) => part !== '')
    .at(-1) ?? path;
