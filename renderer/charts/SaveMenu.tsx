import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import { Icon } from '../icons/Icon.tsx';

interface SaveMenuProps {
  /** Of what is saved. */
  readonly title: string;
  readonly choices: readonly (readonly [title: string, act: (() => void) | undefined])[];
}

/** The ways to take a figure away. */
export function SaveMenu({ title, choices }: SaveMenuProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <Tooltip title="Save">
        <IconButton
          aria-label={`Save ${title}`}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <Icon name="download" sx={{ fontSize: '1rem' }} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {choices.map(([name, act]) => (
          <MenuItem
            key={name}
            disabled={act === undefined}
            onClick={() => {
              setAnchor(null);
              act?.();
            }}
          >
            {name}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
