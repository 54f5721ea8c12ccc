import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { Icon } from '../icons/Icon.tsx';

interface VaryButtonProps {
  readonly title: string;
  readonly isVaried: boolean;
  readonly onClick: () => void;
}

/** Switches a field between one value and several. */
export function VaryButton({ title, isVaried, onClick }: VaryButtonProps) {
  const words = isVaried ? 'Back to one value' : 'Try several values: a run for each';
  return (
    <Tooltip title={words}>
      <IconButton
        className="vary"
        aria-label={`${title}: ${isVaried ? 'one value' : 'several values'}`}
        aria-pressed={isVaried}
        onClick={onClick}
        color={isVaried ? 'primary' : 'inherit'}
        sx={{ ml: 'auto', p: 0.25, alignSelf: 'center', opacity: isVaried ? 1 : 0.35 }}
      >
        <Icon name="several" sx={{ fontSize: '0.9375rem' }} />
      </IconButton>
    </Tooltip>
  );
}
