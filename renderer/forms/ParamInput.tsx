import Box from '@mui/material/Box';
import Checkbox from '@mui/material/Checkbox';
import { useId } from 'react';
import { describeRange, type ParamField, type ValueShape } from '../../core/methods/parameters.ts';
import { HelpText } from '../panels/HelpText.tsx';
import { ParamControl } from './ParamControl.tsx';
import { VaryButton } from './VaryButton.tsx';
import { VaryControl } from './VaryControl.tsx';

interface ParamInputProps {
  readonly field: ParamField;
  readonly text: string;
  /** Several values instead of the one. */
  readonly vary: string | undefined;
  readonly isChanged: boolean;
  readonly isFromRecipe: boolean;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
  readonly onVary: (text: string | undefined) => void;
}

/** One parameter: what it is called, a control for its kind of value, what it means and what is wrong with it. */
export function ParamInput(props: ParamInputProps) {
  const { field, text, vary, isChanged, isFromRecipe, problem, onChange, onVary } = props;
  const id = useId();
  const { ui, shape } = field;
  const isVaried = vary !== undefined;
  const origin = isVaried ? 'several values' : isChanged ? 'changed' : isFromRecipe ? 'recipe' : '';
  const help = [ui.help, hintOf(field)].filter(Boolean).join(' ');
  const isSwitch = shape.kind === 'boolean' && !isVaried;
  return (
    <Box sx={{ minWidth: 0, '&:hover .vary, &:focus-within .vary': { opacity: 1 } }}>
      <Box sx={{ display: 'flex', alignItems: 'baseline', gap: 1, mb: 0.25, minHeight: 22 }}>
        {isSwitch ? (
          <Box component="label" htmlFor={id} sx={{ display: 'flex', alignItems: 'center', gap: 1, ...label }}>
            <Checkbox
              id={id}
              size="small"
              checked={text === 'true'}
              onChange={(event) => onChange(String(event.target.checked))}
              slotProps={{ input: { 'aria-describedby': `${id}-help` } }}
              sx={{ p: 0, '& svg': { fontSize: '1.125rem' } }}
            />
            {ui.title}
          </Box>
        ) : (
          <Box component="label" id={`${id}-label`} htmlFor={id} sx={label}>
            {ui.title}
          </Box>
        )}
        <Box
          component="span"
          sx={{
            fontSize: '0.6875rem',
            whiteSpace: 'nowrap',
            color: isChanged || isVaried ? 'primary.main' : 'text.secondary',
            fontWeight: isChanged || isVaried ? 600 : 400,
          }}
        >
          {origin}
        </Box>
        <VaryButton title={ui.title} isVaried={isVaried} onClick={() => onVary(isVaried ? undefined : text)} />
      </Box>
      {isVaried ? (
        <VaryControl id={id} shape={shape} text={vary} isWrong={problem !== undefined} onChange={onVary} />
      ) : (
        !isSwitch && (
          <ParamControl
            id={id}
            shape={shape}
            unit={ui.unit}
            text={text}
            isWrong={problem !== undefined}
            isChanged={isChanged}
            onChange={onChange}
          />
        )
      )}
      <HelpText id={`${id}-help`} help={isVaried ? varyHelp(shape) : help} problem={problem} />
    </Box>
  );
}

const label = { fontSize: '0.8125rem', fontWeight: 550 };

function varyHelp(shape: ValueShape): string {
  if (shape.kind === 'choice' || shape.kind === 'boolean') return 'A run for each that is chosen.';
  const range = shape.kind === 'number' && shape.whole ? ', or 0..4' : '';
  return `Values apart by semicolons${range}: a run for each.`;
}

/** "From 10 to 1000000. Our calibration." */
function hintOf({ shape, ui }: ParamField): string {
  const bounded = shape.kind === 'list' ? shape.item : shape;
  const range = bounded.kind === 'number' ? describeRange(bounded).trim().replace(/^of /, '') : '';
  const each = shape.kind === 'list' && range !== '' ? `each ${range}` : range;
  return [each, ui.source]
    .flatMap((part) => (part === undefined || part === '' ? [] : [`${part.charAt(0).toUpperCase()}${part.slice(1)}.`]))
    .join(' ');
}
