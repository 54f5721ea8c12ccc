import Box from '@mui/material/Box';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { dataFormats, splits } from '../../core/contract/run.ts';
import type { DataNeed } from '../../core/methods/define.ts';
import { ChoiceOfPath } from '../panels/ChoiceOfPath.tsx';
import { humanise } from '../panels/run-text.ts';
import type { DataChoice } from './form-model.ts';
import { SeveralPaths } from './SeveralPaths.tsx';
import { VaryButton } from './VaryButton.tsx';

interface DataRoleProps {
  readonly need: DataNeed;
  readonly options: readonly { readonly value: string; readonly title: string; readonly note: string }[];
  readonly choice: DataChoice;
  readonly problem: string | undefined;
  readonly limitProblem: string | undefined;
  /** Several instead of the one, a line each. */
  readonly vary: string | undefined;
  readonly varyLimit: string | undefined;
  readonly onChange: (choice: DataChoice) => void;
  readonly onVary: (text: string | undefined) => void;
  readonly onVaryLimit: (text: string | undefined) => void;
}

/** A data set, or several of them, and what of them is used. */
export function DataRole(props: DataRoleProps) {
  const { need, options, choice, problem, limitProblem, vary, varyLimit, onChange, onVary, onVaryLimit } = props;
  const label = need.optional ? `${need.title}, optional` : need.title;
  const isVaried = vary !== undefined;
  const button = (
    <VaryButton title={need.title} isVaried={isVaried} onClick={() => onVary(isVaried ? undefined : choice.path)} />
  );
  const hasData = isVaried || choice.path !== '' || varyLimit !== undefined;
  return (
    <Box sx={{ minWidth: 0 }}>
      {isVaried ? (
        <SeveralPaths
          kind="data"
          label={label}
          aside={button}
          options={options}
          text={vary}
          problem={problem}
          onChange={onVary}
        />
      ) : (
        <ChoiceOfPath
          kind="data"
          label={label}
          aside={button}
          help={need.help}
          value={choice.path}
          options={options}
          problem={problem}
          onChange={(path) => onChange({ ...choice, path })}
        />
      )}
      {hasData && (
        <Box sx={{ display: 'grid', gap: 1, gridTemplateColumns: '1fr 1fr 1.3fr', mt: 1 }}>
          <TextField
            select
            label="Split"
            value={choice.split}
            onChange={({ target }) =>
              onChange({ ...choice, split: splits.find((each) => each === target.value) ?? 'all' })
            }
          >
            {splits.map((split) => (
              <MenuItem key={split} value={split}>
                {humanise(split)}
              </MenuItem>
            ))}
          </TextField>
          <TextField
            select
            label="Format"
            value={choice.format}
            onChange={({ target }) =>
              onChange({ ...choice, format: dataFormats.find((each) => each === target.value) ?? 'auto' })
            }
          >
            {dataFormats.map((format) => (
              <MenuItem key={format} value={format}>
                {format}
              </MenuItem>
            ))}
          </TextField>
          <TextField
            label={varyLimit === undefined ? 'Items used' : 'Items used, each'}
            placeholder={varyLimit === undefined ? 'all' : '100, 1000'}
            value={varyLimit ?? choice.limit}
            error={limitProblem !== undefined}
            helperText={limitProblem}
            onChange={({ target }) =>
              varyLimit === undefined ? onChange({ ...choice, limit: target.value.trim() }) : onVaryLimit(target.value)
            }
            slotProps={{
              htmlInput: { inputMode: 'text', autoComplete: 'off' },
              inputLabel: { shrink: true },
              input: {
                endAdornment: (
                  <VaryButton
                    title={`Items used of ${need.title}`}
                    isVaried={varyLimit !== undefined}
                    onClick={() => onVaryLimit(varyLimit === undefined ? choice.limit : undefined)}
                  />
                ),
              },
            }}
          />
        </Box>
      )}
    </Box>
  );
}
