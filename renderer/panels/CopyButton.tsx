import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import { Icon } from '../icons/Icon.tsx';

interface CopyButtonProps {
  readonly text: string;
  readonly title: string;
  /** A button with its title instead of an icon. */
  readonly isWide?: boolean;
}

const shownMs = 1600;

export function CopyButton({ text, title, isWide = false }: CopyButtonProps) {
  const [isDone, setDone] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      setDone(true);
      setTimeout(() => setDone(false), shownMs);
    });
  };
  const icon = <Icon name={isDone ? 'check' : 'copy'} />;
  if (isWide) {
    return (
      <Button variant="outlined" startIcon={icon} onClick={copy}>
        {isDone ? 'Copied' : title}
      </Button>
    );
  }
  return (
    <Tooltip title={isDone ? 'Copied' : title}>
      <IconButton aria-label={title} onClick={copy} color="inherit">
        {icon}
      </IconButton>
    </Tooltip>
  );
}
