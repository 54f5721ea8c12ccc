import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import { useState } from 'react';
import type { ModelInspection } from '../../core/contract/inspection.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import type { ModelWords } from './model-words.ts';
import { VaryButton } from './VaryButton.tsx';

interface ModelWordsFieldsProps {
  readonly role: string;
  /** Of a file that is known here; undefined while a path is typed, or where there are several. */
  readonly path: string | undefined;
  readonly words: ModelWords;
  readonly problems: Readonly<Record<string, string>>;
  /** Several sizes instead of one, apart by semicolons. */
  readonly varyDims: string | undefined;
  readonly onChange: (words: ModelWords) => void;
  readonly onVaryDims: (text: string | undefined) => void;
}

/** Pre-processing and open sizes of a model file, behind a button unless something is said or has to be. */
export function ModelWordsFields(props: ModelWordsFieldsProps) {
  const { role, path, words, problems, varyDims, onChange, onVaryDims } = props;
  const inspection = useRequest('models.inspect', path === undefined ? null : { path }).data;
  const open = openSizes(inspection);
  const isSaid = varyDims !== undefined || Object.values(words).some((text) => text !== '');
  const [isOpen, setOpen] = useState(isSaid);
  const isShown = isOpen || isSaid || open.length > 0;
  const found = inspection?.preprocessing;
  const vary = (
    <VaryButton
      title="Open sizes"
      isVaried={varyDims !== undefined}
      onClick={() => onVaryDims(varyDims === undefined ? words.dims : undefined)}
    />
  );
  const field = (part: keyof ModelWords, label: string, placeholder: string) => {
    const isVaried = part === 'dims' && varyDims !== undefined;
    const problem = problems[`models.${role}.${part}`];
    return (
      <TextField
        label={isVaried ? `${label}, apart by semicolons` : label}
        value={isVaried ? varyDims : words[part]}
        placeholder={placeholder}
        error={problem !== undefined}
        helperText={problem}
        onChange={({ target }) => (isVaried ? onVaryDims(target.value) : onChange({ ...words, [part]: target.value }))}
        slotProps={{
          inputLabel: { shrink: true },
          htmlInput: { spellCheck: false, autoComplete: 'off' },
          input: part === 'dims' ? { endAdornment: vary } : {},
        }}
      />
    );
  };
  return (
    <Box sx={{ mt: 0.5 }}>
      {!isSaid && open.length === 0 && (
        <Button
          onClick={() => setOpen(!isOpen)}
          aria-expanded={isShown}
          startIcon={<Icon name={isShown ? 'down' : 'next'} sx={{ fontSize: '0.875rem' }} />}
          sx={{ ml: -1, fontSize: '0.75rem' }}
        >
          Pixels, sizes and classes
        </Button>
      )}
      {isShown && (
        <Box
          sx={{
            display: 'grid',
            gap: 1,
            gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 7.5rem), 1fr))',
            mt: 1,
          }}
        >
          {field('mean', 'Mean', found?.mean?.value.join(', ') ?? 'as in the file')}
          {field('std', 'Deviation', found?.std?.value.join(', ') ?? 'as in the file')}
          {field('classes', 'Class names', inspection?.classNames ? 'as in the file' : 'as in the data')}
          {field('dims', 'Open sizes', open.length > 0 ? open.map((name) => `${name}=…`).join(', ') : 'none')}
        </Box>
      )}
    </Box>
  );
}

/** Sizes of images that the file leaves open, as they are called in a request; the batch is no such size. */
function openSizes(inspection: ModelInspection | undefined): readonly string[] {
  const [image] = inspection?.inputs ?? [];
  return (image?.shape ?? []).flatMap((size, axis) =>
    typeof size === 'number' || axis === 0 ? [] : [size === '' ? `${image?.name ?? ''}.${axis}` : size],
  );
}
