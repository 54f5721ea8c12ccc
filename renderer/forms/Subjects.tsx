import Box from '@mui/material/Box';
import type { MethodSpec, ModelNeed } from '../../core/methods/define.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { ChoiceOfPath } from '../panels/ChoiceOfPath.tsx';
import { DataRole } from './DataRole.tsx';
import type { Draft } from './form-model.ts';
import { noModelWords, type ModelWords } from './model-words.ts';
import { ModelWordsFields } from './ModelWordsFields.tsx';
import { SeveralPaths } from './SeveralPaths.tsx';
import { withVaried } from './sweep.ts';
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
    <Box
      sx={{
        display: 'grid',
        gap: '18px 32px',
        gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 18.75rem), 1fr))',
      }}
    >
      {shownRoles(spec, draft).map(([role, need]) => (
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
          onVary={(text) =>
            onChange(withVaried(withVaried(draft, `models.${role}.dims`, undefined), `models.${role}`, text))
          }
          varyDims={draft.vary[`models.${role}.dims`]}
          onVaryDims={(text) => onChange(withVaried(draft, `models.${role}.dims`, text))}
        />
      ))}
      {Object.entries(spec.data).map(([role, need]) => (
        <DataRole
          key={role}
          need={need}
          options={sets}
          choice={draft.data[role] ?? { path: '', split: need.split ?? 'all', format: 'auto', limit: '' }}
          problem={problems[`data.${role}`]}
          limitProblem={problems[`data.${role}.limit`]}
          vary={draft.vary[`data.${role}`]}
          varyLimit={draft.vary[`data.${role}.limit`]}
          onChange={(choice) => onChange({ ...draft, data: { ...draft.data, [role]: choice } })}
          onVary={(text) => onChange(withVaried(draft, `data.${role}`, text))}
          onVaryLimit={(text) => onChange(withVaried(draft, `data.${role}.limit`, text))}
        />
      ))}
    </Box>
  );
}

/** Of roles that take several files, those that are filled in and the next one. */
function shownRoles({ models }: MethodSpec, draft: Draft): [string, ModelNeed][] {
  const isFilled = (role: string): boolean =>
    (draft.models[role] ?? '').trim() !== '' || draft.vary[`models.${role}`] !== undefined;
  const roles = Object.entries(models);
  return roles.filter(
    ([role, { entryOf }], at) => entryOf === undefined || isFilled(role) || isFilled(roles[at - 1]?.[0] ?? ''),
  );
}

interface Option {
  readonly value: string;
  readonly title: string;
  readonly note: string;
}

/** What was said of one file does not hold for another. */
const withModel = (draft: Draft, role: string, value: string): Draft => ({
  ...withVaried(draft, `models.${role}.dims`, undefined),
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
  /** Several open sizes instead of one, apart by semicolons. */
  readonly varyDims: string | undefined;
  readonly onVaryDims: (text: string | undefined) => void;
}

function ModelRole(props: ModelRoleProps) {
  const { need, role, options, value, words, architectures, problems, vary, onChange, onWords, onVary } = props;
  const { varyDims, onVaryDims } = props;
  const problem = problems[`models.${role}`];
  const label = need.optional ? `${need.title}, optional` : need.title;
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
          value={canonical(value, options)}
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
            varyDims={varyDims}
            onChange={onWords}
            onVaryDims={onVaryDims}
          />
        )}
      </Box>
    );
  }
  return (
    <SeveralPaths
      kind="model"
      label={label}
      aside={button}
      options={options}
      text={vary}
      problem={problem}
      onChange={onVary}
    />
  );
}

/** `bundled:NAME` is listed by its path. */
function canonical(value: string, options: readonly Option[]): string {
  const name = value.startsWith('bundled:') ? `${value.slice('bundled:'.length)}.onnx` : undefined;
  return options.find((option) => name !== undefined && option.title === name)?.value ?? value;
}
