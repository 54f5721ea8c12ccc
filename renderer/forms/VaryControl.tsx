import TextField from '@mui/material/TextField';
import type { ValueShape } from '../../core/methods/parameters.ts';
import { ToggleRow } from './ToggleRow.tsx';

interface VaryControlProps {
  readonly id: string;
  readonly shape: ValueShape;
  readonly text: string;
  readonly isWrong: boolean;
  readonly onChange: (text: string) => void;
}

/** Several values for one parameter. */
export function VaryControl({ id, shape, text, isWrong, onChange }: VaryControlProps) {
  const choices =
    shape.kind === 'choice' ? shape.choices.map(String) : shape.kind === 'boolean' ? ['true', 'false'] : undefined;
  if (choices) {
    const chosen = text.split(';').map((each) => each.trim());
    return (
      <ToggleRow
        id={id}
        choices={choices}
        chosen={chosen.filter((each) => choices.includes(each))}
        isWrong={isWrong}
        onChange={(next) => onChange(next.join('; '))}
      />
    );
  }
  return (
    <TextField
      fullWidth
      value={text}
      error={isWrong}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ htmlInput: { id, 'aria-describedby': `${id}-help`, spellCheck: false, autoComplete: 'off' } }}
      sx={isWrong ? {} : { '& .MuiOutlinedInput-notchedOutline': { borderColor: 'primary.main' } }}
    />
  );
}
