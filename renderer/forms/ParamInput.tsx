import Box from '@mui/material/Box';
import Checkbox from '@mui/material/Checkbox';
import InputAdornment from '@mui/material/InputAdornment';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { useId } from 'react';
import { describeRange, type ParamField, type ValueShape } from '../../core/methods/parameters.ts';
import { HelpText } from '../panels/HelpText.tsx';

interface ParamInputProps {
  readonly field: ParamField;
  readonly text: string;
  readonly isChanged: boolean;
  readonly isFromRecipe: boolean;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
}

/** One parameter: what it is called, a control for its kind of value, what it means and what is wrong with it. */
export function ParamInput({ field, text, isChanged, isFromRecipe, problem, onChange }: ParamInputProps) {
  const id = useId();
  const { ui, shape } = field;
  const origin = isChanged ? 'changed' : isFromRecipe ? 'recipe' : '';
  const help = [ui.help, hintOf(field)].filter(Boolean).join(' ');
  return (
    <Box sx={{ minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'baseline', gap: 1, mb: 0.25 }}>
        {shape.kind === 'boolean' ? (
          <Box component="label" htmlFor={id} sx={{ display: 'flex', alignItems: 'center', gap: 1, ...label }}>
            <Checkbox
              id={id}
              size="small"
              checked={text === 'true'}
              onChange={(event) => onChange(String(event.target.checked))}
              slotProps={{ input: { 'aria-describedby': `${id}-help` } }}
              sx={{ p: 0, '& svg': { fontSize: 18 } }}
            />
            {ui.title}
          </Box>
        ) : (
          <Box component="label" htmlFor={id} sx={label}>
            {ui.title}
          </Box>
        )}
        <Box
          component="span"
          sx={{
            fontSize: '0.6875rem',
            color: isChanged ? 'primary.main' : 'text.secondary',
            fontWeight: isChanged ? 600 : 400,
          }}
        >
          {origin}
        </Box>
      </Box>
      {shape.kind !== 'boolean' && (
        <Control
          id={id}
          shape={shape}
          unit={ui.unit}
          text={text}
          isWrong={problem !== undefined}
          isChanged={isChanged}
          onChange={onChange}
        />
      )}
      <HelpText id={`${id}-help`} help={help} problem={problem} />
    </Box>
  );
}

const label = { fontSize: '0.8125rem', fontWeight: 550 };

interface ControlProps {
  readonly id: string;
  readonly shape: ValueShape;
  readonly unit: string | undefined;
  readonly text: string;
  readonly isWrong: boolean;
  readonly isChanged: boolean;
  readonly onChange: (text: string) => void;
}

function Control({ id, shape, unit, text, isWrong, isChanged, onChange }: ControlProps) {
  const isChoice = shape.kind === 'choice';
  const shownUnit = unit === undefined || unit === '1' ? undefined : unit;
  return (
    <TextField
      fullWidth
      select={isChoice}
      value={text}
      error={isWrong}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{
        select: { id, inputProps: { id: `${id}-native`, 'aria-describedby': `${id}-help` } },
        htmlInput: {
          ...(isChoice ? {} : { id }),
          'aria-describedby': `${id}-help`,
          inputMode: shape.kind === 'number' ? 'decimal' : 'text',
          spellCheck: false,
          autoComplete: 'off',
        },
        input: shownUnit === undefined || isChoice ? {} : { endAdornment: <Unit text={shownUnit} /> },
      }}
      sx={isChanged && !isWrong ? { '& .MuiOutlinedInput-notchedOutline': { borderColor: 'primary.main' } } : {}}
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

function Unit({ text }: { readonly text: string }) {
  return (
    <InputAdornment position="end" sx={{ '& p': { fontSize: '0.75rem' } }}>
      {text}
    </InputAdornment>
  );
}

/** "From 10 to 1000000. Our calibration." */
function hintOf({ shape, ui }: ParamField): string {
  const range = shape.kind === 'number' ? describeRange(shape).trim().replace(/^of /, '') : '';
  return [range, ui.source]
    .flatMap((part) => (part === undefined || part === '' ? [] : [`${part.charAt(0).toUpperCase()}${part.slice(1)}.`]))
    .join(' ');
}
