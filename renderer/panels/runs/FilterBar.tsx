import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { memo } from 'react';
import { runStates } from '../../../core/contract/run.ts';
import { catalogue } from '../../../core/methods/catalogue.ts';
import { hrefOf } from '../../app/routes.ts';
import { stateTitles } from '../run-text.ts';
import type { Filter } from './filter.ts';

type Options = readonly (readonly [value: string, title: string])[];
type Choosable = 'state' | 'methodId' | 'tag';

const states: Options = runStates.map((state) => [state, stateTitles[state]]);
const methods: Options = catalogue.map(({ id, title }) => [id, title]);

interface FilterBarProps {
  readonly filter: Filter;
  readonly tags: Options;
  readonly isGroup: boolean;
  readonly onChange: (change: Partial<Filter>) => void;
}

/** What the table of runs is narrowed down by. */
export function FilterBar({ filter, tags, isGroup, onChange }: FilterBarProps) {
  return (
    <Box sx={bar}>
      <TextField
        placeholder="Search runs, models, notes, tags"
        value={filter.text}
        onChange={(event) => onChange({ text: event.target.value })}
        slotProps={search}
        sx={{ flex: '1 1 13.75rem', maxWidth: '23.75rem' }}
      />
      <Choice label="State" field="state" value={filter.state} any="Every state" options={states} onChange={onChange} />
      <Choice
        label="Method"
        field="methodId"
        value={filter.methodId}
        any="Every method"
        options={methods}
        onChange={onChange}
      />
      {tags.length > 0 && (
        <Choice label="Tag" field="tag" value={filter.tag} any="Every tag" options={tags} onChange={onChange} />
      )}
      {isGroup && <Button href={hrefOf({ page: 'runs' })}>All runs</Button>}
      <Button onClick={() => onChange({ isTrash: !filter.isTrash })} sx={{ ml: 'auto', mr: -1.5 }}>
        {filter.isTrash ? 'Back to the runs' : 'Trash'}
      </Button>
    </Box>
  );
}

const bar = { display: 'flex', gap: 1, flexWrap: 'wrap', mb: 1.5 };
const search = { htmlInput: { 'aria-label': 'Search runs', type: 'search', maxLength: 200 } };

interface ChoiceProps {
  readonly label: string;
  readonly field: Choosable;
  readonly value: string;
  readonly any: string;
  readonly options: Options;
  readonly onChange: (change: Partial<Filter>) => void;
}

/** Not drawn anew for every letter that is typed beside it. */
const Choice = memo(function Choice({ label, field, value, any, options, onChange }: ChoiceProps) {
  return (
    <TextField
      select
      value={value}
      onChange={(event) => onChange({ [field]: event.target.value })}
      slotProps={{ select: { inputProps: { 'aria-label': label } } }}
      sx={{ minWidth: '8.125rem', maxWidth: '16.25rem' }}
    >
      <MenuItem value="any">{any}</MenuItem>
      {options.map(([each, title]) => (
        <MenuItem key={each} value={each}>
          {title}
        </MenuItem>
      ))}
    </TextField>
  );
});
