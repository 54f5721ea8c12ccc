import Box from '@mui/material/Box';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { useId } from 'react';
import { dataFormats, splits } from '../../core/contract/run.ts';
import type { DataNeed, MethodSpec, ModelNeed } from '../../core/methods/define.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { ChoiceOfPath } from '../panels/ChoiceOfPath.tsx';
import { HelpText } from '../panels/HelpText.tsx';
import { humanise } from '../panels/run-text.ts';
import type { DataChoice, Draft } from './form-model.ts';
import { noModelWords, type ModelWords } from './model-words.ts';
import { ModelWordsFields } from './ModelWordsFields.tsx';
import { withVaried } from './sweep.ts';
import { ToggleRow } from './ToggleRow.tsx';
import { VaryButton } from './VaryButton.tsx';

interface SubjectsProps {
  readonly spec: MethodSpec;
  readonly draft: Draft;
  readonly problems: Readonly<Record<string, string>>;
  readonly architectures: readonly string[];
  readonly onChange: (draft: Draft) => void;
}

/** The models and data sets that the method asks for, by role. */
export function Subjects({ spec, draft, problems, architectures, onChange }: SubjectsProps) {
  const models = useRequest('models.list', {}, (event) => event.type === 'library');
  const data = useRequest('data.list', {}, (event) => event.type === 'library');
  const files = (models.data ?? []).map(({ path, name, classCount, origin }) => ({
    value: path,
    title: name,
    note: [origin === 'bundled' ? 'bundled' : '', classCount === null ? '' : `${classCount} classes`]
      .filter(Boolean)
      .join(', '),
  }));
  const sets = (data.data ?? []).map(({ path, name, count, format }) => ({
    value: path,
    title: name,
    note: `${format}, ${count.toLocaleString('en')} items`,
  }));
  return (
    <Box sx={{ display: 'grid', gap: '18px 32px', gridTemplateColumns: 'repeat(auto-fill, minmax(300px, 1fr))' }}>
      {Object.entries(spec.models).map(([role, need]) => (
        <ModelRole
          key={role}
          need={need}
          options={[
            ...files,
            ...(need.zoo
              ? architectures.map((value) => ({ value, title: value, note: 'architecture, untrained' }))
              : []),
          ]}
          role={role}
          value={draft.models[role] ?? ''}
          words={draft.words[role] ?? noModelWords}
          architectures={architectures}
          problems={problems}
          vary={draft.vary[`models.${role}`]}
          onChange={(value) => onChange(withModel(draft, role, value))}
          onWords={(words) => onChange({ ...draft, words: { ...draft.words, [role]: words } })}
          onVary={(text) => onChange(withVaried(draft, `models.${role}`, text))}
        />
      ))}
      {Object.entries(spec.data).map(([role, need]) => (
        <DataRole
          key={role}
          need={need}
          options={sets}
          choice={draft.data[role]}
          problem={problems[`data.${role}`]}
          onChange={(choice) => onChange({ ...draft, data: { ...draft.data, [role]: choice } })}
        />
      ))}
    </Box>
  );
}

interface Option {
  readonly value: string;
  readonly title: string;
  readonly note: string;
}

/** What was said of one file does not hold for another. */
const withModel = (draft: Draft, role: string, value: string): Draft => ({
  ...draft,
  models: { ...draft.models, [role]: value },
  words: { ...draft.words, [role]: noModelWords },
});

interface ModelRoleProps {
  readonly need: ModelNeed;
  readonly role: string;
  readonly options: readonly Option[];
  readonly value: string;
  readonly words: ModelWords;
  readonly architectures: readonly string[];
  readonly problems: Readonly<Record<string, string>>;
  /** Several instead of the one, a line each. */
  readonly vary: string | undefined;
  readonly onChange: (value: string) => void;
  readonly onWords: (words: ModelWords) => void;
  readonly onVary: (text: string | undefined) => void;
}

function ModelRole(props: ModelRoleProps) {
  const { need, role, options, value, words, architectures, problems, vary, onChange, onWords, onVary } = props;
  const id = useId();
  const problem = problems[`models.${role}`];
  const label = need.optional ? `${need.title}, optional` : need.title;
  const chosen = (vary ?? '').split('\n').filter((each) => each !== '');
  const button = (
    <VaryButton
      title={need.title}
      isVaried={vary !== undefined}
      onClick={() => onVary(vary === undefined ? canonical(value, options) : undefined)}
    />
  );
  if (vary === undefined) {
    const isFile = value.trim() !== '' && !(need.zoo === true && architectures.includes(value.trim()));
    const isKnown = value.startsWith('bundled:') || options.some((option) => option.value === value);
    return (
      <Box sx={{ minWidth: 0 }}>
        <ChoiceOfPath
          kind="model"
          label={label}
          aside={button}
          help={need.help}
          value={value}
          options={options}
          problem={problem}
          onChange={onChange}
        />
        {isFile && (
          <ModelWordsFields
            role={role}
            path={isKnown ? value : undefined}
            words={words}
            problems={problems}
            onChange={onWords}
          />
        )}
      </Box>
    );
  }
  return (
    <Box sx={{ minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', mb: 0.25 }}>
        <Box component="label" id={`${id}-label`} htmlFor={id} sx={{ fontSize: '0.8125rem', fontWeight: 550 }}>
          {label}
        </Box>
        {button}
      </Box>
      <ToggleRow
        id={id}
        choices={[...new Set([...options.map((option) => option.value), ...chosen])]}
        titles={new Map(options.map((option) => [option.value, option.title]))}
        chosen={chosen}
        isWrong={problem !== undefined}
        onChange={(next) => onVary(next.join('\n'))}
      />
      <HelpText id={`${id}-help`} help="A run for each that is chosen." problem={problem} />
    </Box>
  );
}

/** `bundled:NAME` is listed by its path. */
function canonical(value: string, options: readonly Option[]): string {
  const name = value.startsWith('bundled:') ? `${value.slice('bundled:'.length)}.onnx` : undefined;
  return options.find((option) => name !== undefined && option.title === name)?.value ?? value;
}

interface DataRoleProps {
  readonly need: DataNeed;
  readonly options: readonly { readonly value: string; readonly title: string; readonly note: string }[];
  readonly choice: DataChoice | undefined;
  readonly problem: string | undefined;
  readonly onChange: (choice: DataChoice) => void;
}

function DataRole({ need, options, choice, problem, onChange }: DataRoleProps) {
  const value: DataChoice = choice ?? { path: '', split: need.split ?? 'all', format: 'auto', limit: '' };
  return (
    <Box sx={{ minWidth: 0 }}>
      <ChoiceOfPath
        kind="data"
        label={need.optional ? `${need.title}, optional` : need.title}
        help={need.help}
        value={value.path}
        options={options}
        problem={problem}
        onChange={(path) => onChange({ ...value, path })}
      />
      {value.path !== '' && (
        <Box sx={{ display: 'grid', gap: 1, gridTemplateColumns: '1fr 1fr 1fr', mt: 1 }}>
          <TextField
            select
            label="Split"
            value={value.split}
            onChange={({ target }) =>
              onChange({ ...value, split: splits.find((each) => each === target.value) ?? 'all' })
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
            value={value.format}
            onChange={({ target }) =>
              onChange({ ...value, format: dataFormats.find((each) => each === target.value) ?? 'auto' })
            }
          >
            {dataFormats.map((format) => (
              <MenuItem key={format} value={format}>
                {format}
              </MenuItem>
            ))}
          </TextField>
          <TextField
            label="Items used"
            placeholder="all"
            value={value.limit}
            onChange={({ target }) => onChange({ ...value, limit: target.value.trim() })}
            slotProps={{ htmlInput: { inputMode: 'numeric' }, inputLabel: { shrink: true } }}
          />
        </Box>
      )}
    </Box>
  );
}
