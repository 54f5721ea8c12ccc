import { WorkbenchError } from '../core/base/errors.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { describeShape, paramFields, type ParamField } from '../core/methods/parameters.ts';
import { parseValue } from '../core/methods/param-text.ts';
import type { Arguments } from './arguments.ts';
import { commandOf } from './help.ts';
import { didYouMean } from './suggest.ts';

export interface ParamSources {
  readonly recipe: string | undefined;
  readonly file: { readonly name: string; readonly json: Readonly<Record<string, unknown>> } | undefined;
  readonly flags: Pick<Arguments, 'text' | 'isOn'>;
}

/**
 * Parameters of a run: defaults, then the recipe, then the file, then the flags; the later one counts.
 * @throws PARAM_INVALID naming the flag or the key, what is expected and what was found.
 */
export function mergeParams(spec: MethodSpec, sources: ParamSources): Record<string, unknown> {
  const fields = paramFields(spec);
  const recipe = sources.recipe === undefined ? {} : (spec.recipes[sources.recipe]?.params ?? {});
  const file = sources.file?.json ?? {};
  refuseUnknownKeys(fields, Object.keys(file), sources.file?.name ?? '');
  const flags = Object.fromEntries(fields.flatMap((field) => fromFlags(field, sources.flags)));
  const merged: Record<string, unknown> = { ...recipe, ...file, ...flags };
  const parsed = spec.params.safeParse(merged);
  if (parsed.success) return parsed.data;
  const reasons = new Map<string, string>();
  for (const issue of parsed.error.issues) {
    const field = fields.find((each) => each.name === issue.path[0]);
    const key = field?.name ?? '';
    if (reasons.has(key)) continue;
    if (!field) reasons.set(key, issue.message);
    else {
      const origin =
        field.name in flags || !(field.name in file) ? `Flag --${field.flag}` : `${sources.file?.name}: ${field.name}`;
      reasons.set(key, `${origin}: ${problem(field, merged[field.name], issue)}`);
    }
  }
  throw invalid([...reasons.values()].join('; '), spec);
}

function fromFlags(
  field: ParamField,
  flags: Pick<Arguments, 'text' | 'isOn'>,
): readonly (readonly [string, unknown])[] {
  if (field.shape.kind === 'boolean') {
    const isOn = flags.isOn(field.flag);
    return isOn === undefined ? [] : [[field.name, isOn]];
  }
  const text = flags.text(field.flag);
  if (text === undefined) return [];
  const read = parseValue(field.shape, text);
  if (read.ok) return [[field.name, read.value]];
  const { shape } = field;
  const item = shape.kind === 'list' ? shape.item : shape;
  const choices = item.kind === 'choice' ? item.choices.map(String) : [];
  const wrong = shape.kind === 'list' ? text.split(',').map((part) => part.trim()) : [text];
  const meant = wrong.filter((word) => !choices.includes(word)).map((word) => didYouMean(word, choices));
  throw new WorkbenchError(
    'PARAM_INVALID',
    `Flag --${field.flag}: expected ${describeShape(field.shape)}, got "${text}"`,
    { hint: meant.find((found) => found !== undefined) ?? `${field.ui.help ?? field.ui.title}.`.replace(/\.\.$/, '.') },
  );
}

function problem(
  field: ParamField,
  value: unknown,
  issue: { readonly code?: string | undefined; readonly message: string },
): string {
  if (value === undefined) return `expected ${describeShape(field.shape)}, got nothing`;
  const found = JSON.stringify(value);
  return issue.code === 'custom'
    ? `${issue.message}, got ${found}`
    : `expected ${describeShape(field.shape)}, got ${found}`;
}

function refuseUnknownKeys(fields: readonly ParamField[], keys: readonly string[], file: string): void {
  const names = fields.map((field) => field.name);
  const unknown = keys.filter((key) => !names.includes(key));
  if (unknown.length === 0) return;
  const meant = unknown.map((key) => didYouMean(key, names)).find((text) => text !== undefined);
  throw new WorkbenchError('PARAM_INVALID', `${file} has unknown parameters: ${unknown.join(', ')}`, {
    hint: [meant, `Parameters: ${names.join(', ')}.`].filter((part) => part !== undefined).join(' '),
  });
}

function invalid(message: string, spec: MethodSpec): WorkbenchError {
  return new WorkbenchError('PARAM_INVALID', message, {
    hint: `See \`${commandOf(spec)} --help\` for units, ranges and defaults.`,
  });
}
