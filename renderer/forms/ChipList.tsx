import Autocomplete from '@mui/material/Autocomplete';
import TextField from '@mui/material/TextField';
import { listItems, withEnded, withTyped } from './list-text.ts';
import { Unit } from './Unit.tsx';

interface ChipListProps {
  readonly id: string;
  /** Items apart by commas. */
  readonly text: string;
  readonly what: 'numbers' | 'names';
  readonly unit: string | undefined;
  readonly isWrong: boolean;
  readonly isChanged: boolean;
  readonly onChange: (text: string) => void;
}

/** A list of numbers or names, each in a box of its own; Enter or a comma adds what was typed. */
export function ChipList({ id, text, what, unit, isWrong, isChanged, onChange }: ChipListProps) {
  const { items, typed } = listItems(text);
  return (
    <Autocomplete
      id={id}
      multiple
      freeSolo
      disableClearable
      size="small"
      options={[]}
      value={[...items]}
      inputValue={typed}
      onInputChange={(_, next, reason) => {
        if (reason === 'input') onChange(withTyped(items, next));
      }}
      onChange={(_, next) => onChange(next.join(','))}
      renderInput={({ slotProps, ...params }) => (
        <TextField
          {...params}
          error={isWrong}
          placeholder={items.length === 0 && typed === '' ? `${what}, apart by commas` : ''}
          onBlur={() => typed !== '' && onChange(withEnded(text))}
          slotProps={{
            ...slotProps,
            input: { ...slotProps.input, endAdornment: unit === undefined ? undefined : <Unit text={unit} /> },
            htmlInput: {
              ...slotProps.htmlInput,
              'aria-describedby': `${id}-help`,
              inputMode: what === 'numbers' ? 'decimal' : 'text',
            },
          }}
        />
      )}
      sx={{
        '& .MuiAutocomplete-inputRoot': { pr: '14px !important', py: '2px !important' },
        ...(isChanged && !isWrong && { '& .MuiOutlinedInput-notchedOutline': { borderColor: 'primary.main' } }),
      }}
    />
  );
}
