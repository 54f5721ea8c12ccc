import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useState } from 'react';
import type { ParamField } from '../../core/methods/parameters.ts';
import { Icon } from '../icons/Icon.tsx';
import { ParamInput } from './ParamInput.tsx';

interface ParamFieldsProps {
  readonly fields: readonly ParamField[];
  readonly texts: Readonly<Record<string, string>>;
  readonly vary: Readonly<Record<string, string>>;
  readonly changed: ReadonlySet<string>;
  readonly problems: Readonly<Record<string, string>>;
  readonly recipe: Readonly<Record<string, unknown>> | undefined;
  readonly onChange: (name: string, text: string) => void;
  readonly onVary: (name: string, text: string | undefined) => void;
}

/** Basic parameters at once, the others behind a button that says when one of them is changed or wrong. */
export function ParamFields(props: ParamFieldsProps) {
  const { fields, texts, vary, changed, problems, recipe, onChange, onVary } = props;
  const basic = fields.filter(({ ui }) => ui.group !== 'advanced');
  const advanced = fields.filter(({ ui }) => ui.group === 'advanced');
  const touched = advanced.filter(({ name }) => changed.has(name) || name in vary).length;
  const wrong = advanced.filter(({ name }) => name in problems).length;
  const [isOpen, setOpen] = useState(touched > 0);
  const isShown = isOpen || wrong > 0;
  const grid = (some: readonly ParamField[]) => (
    <Box
      sx={{
        display: 'grid',
        gap: '14px 32px',
        gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 16.25rem), 1fr))',
      }}
    >
      {some.map((field) => (
        <ParamInput
          key={field.name}
          field={field}
          text={texts[field.name] ?? ''}
          vary={vary[field.name]}
          isChanged={changed.has(field.name)}
          isFromRecipe={recipe !== undefined && field.name in recipe}
          problem={problems[field.name]}
          onChange={(text) => onChange(field.name, text)}
          onVary={(text) => onVary(field.name, text)}
        />
      ))}
    </Box>
  );
  return (
    <>
      {grid(basic)}
      {advanced.length > 0 && (
        <Button
          onClick={() => setOpen(!isOpen)}
          aria-expanded={isShown}
          startIcon={<Icon name={isShown ? 'down' : 'next'} sx={{ fontSize: '1rem' }} />}
          sx={{ mt: 2.5, mb: isShown ? 1.5 : 0, ml: -1 }}
        >
          {advanced.length} advanced parameters
          {touched > 0 && `, ${touched} changed`}
        </Button>
      )}
      {isShown && grid(advanced)}
    </>
  );
}
