import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import type { ValueShape } from '../../core/methods/parameters.ts';
import { ChipList } from './ChipList.tsx';
import { OrderedToggles } from './OrderedToggles.tsx';
import { Unit } from './Unit.tsx';

interface ParamControlProps {
  readonly id: string;
  readonly shape: ValueShape;
  readonly unit: string | undefined;
  readonly text: string;
  readonly isWrong: boolean;
  readonly isChanged: boolean;
  readonly onChange: (text: string) => void;
}

/** Where one value is typed or chosen: a menu, switches for a list of names, chips for a list, else a line. */
export function ParamControl({ id, shape, unit, text, isWrong, isChanged, onChange }: ParamControlProps) {
  const shownUnit = unit === undefined || unit === '1' || unit === 'fraction' ? undefined : unit;
  const adornment = shownUnit === undefined ? {} : { endAdornment: <Unit text={shownUnit} /> };
  const mark = isChanged && !isWrong ? { '& .MuiOutlinedInput-notchedOutline': { borderColor: 'primary.main' } } : {};
  if (shape.kind === 'list' && shape.item.kind === 'choice') {
    const chosen = text.split(',').filter((each) => each !== '');
    return (
      <OrderedToggles
        id={id}
        choices={shape.item.choices.map(String)}
        chosen={chosen}
        isWrong={isWrong}
        onChange={(next) => onChange(next.join(','))}
      />
    );
  }
  const isListed = shape.kind === 'list' && (shape.item.kind === 'number' || shape.item.kind === 'text');
  // A list that is written as JSON has items that commas would tear.
  if (isListed && !text.startsWith('[')) {
    return (
      <ChipList
        id={id}
        text={text}
        what={shape.item.kind === 'number' ? 'numbers' : 'names'}
        isWrong={isWrong}
        unit={shownUnit}
        isChanged={isChanged}
        onChange={onChange}
      />
    );
  }
  const isChoice = shape.kind === 'choice';
  return (
    <TextField
      fullWidth
      select={isChoice}
      value={text}
      error={isWrong}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{
        select: { id, labelId: `${id}-label`, inputProps: { id: `${id}-native`, 'aria-describedby': `${id}-help` } },
        htmlInput: {
          ...(isChoice ? {} : { id }),
          'aria-describedby': `${id}-help`,
          inputMode: shape.kind === 'number' ? 'decimal' : 'text',
          spellCheck: false,
          autoComplete: 'off',
        },
        input: isChoice ? {} : adornment,
      }}
      sx={mark}
    >
      {isChoice &&
        shape.choices.map((choice) => (
          <MenuItem key={choice} value={String(choice)}>
            {choice}
          </MenuItem>
        ))}
    </TextField>
  );
}
