import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import { Icon } from '../icons/Icon.tsx';

interface CopyButtonProps {
  /** Or what makes it at the click. */
  readonly text: string | (() => Promise<string>);
  readonly title: string;
  /** A button with its title instead of an icon. */
  readonly isWide?: boolean;
}

const shownMs = 1600;

export function CopyButton({ text, title, isWide = false }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<'Copied' | 'Not allowed here' | 'Not complete' | undefined>(undefined);
  const show = (next: typeof outcome): void => {
    setOutcome(next);
    setTimeout(() => setOutcome(undefined), shownMs);
  };
  const write = (made: string): void => {
    navigator.clipboard.writeText(made).then(
      () => show('Copied'),
      () => show('Not allowed here'),
    );
  };
  const copy = (): void => {
    if (typeof text === 'string') write(text);
    else text().then(write, () => show('Not complete'));
  };
  const icon = <Icon name={outcome === 'Copied' ? 'check' : 'copy'} />;
  if (isWide) {
    return (
      <Button variant="outlined" startIcon={icon} onClick={copy}>
        {outcome ?? title}
      </Button>
    );
  }
  return (
    <Tooltip title={outcome ?? title}>
      <IconButton aria-label={title} onClick={copy} color="inherit">
        {icon}
      </IconButton>
    </Tooltip>
  );
}
