import { invariant } from '../core/base/errors.ts';
import { dataFormats, deviceNames, splits } from '../core/contract/run.ts';
import type { DataNeed, MethodSpec, ModelNeed } from '../core/methods/define.ts';
import { describeRange, kebabCase, paramFields, type ParamField, type ValueShape } from '../core/methods/parameters.ts';
import { formatValue } from '../core/methods/param-text.ts';
import type { Flag, FlagGroup } from './arguments.ts';
import { dimsFlag } from './model-file.ts';
import { varyFlag } from './vary.ts';

export const helpFlag: Flag = { name: 'help', short: 'h', help: 'Show this text.' };
export const debugFlag: Flag = { name: 'debug', help: 'Print the stack of an error.' };
export const workspaceFlag: Flag = {
  name: 'workspace',
  value: 'DIR',
  help: 'Where runs are kept. Default: $PALIMPSEST_WORKSPACE, else ./palimpsest-workspace.',
};
export const jsonFlag: Flag = { name: 'json', help: 'Print exactly one JSON object to standard output.' };
/** Understood with every verb, so that no verb lists it. */
export const colourFlag: Flag = {
  name: 'no-color',
  help: 'With every verb: no colours. So does the environment variable NO_COLOR.',
};
export const quietFlag: Flag = { name: 'quiet', short: 'q', help: 'Print no progress.' };

const generalFlags: readonly Flag[] = [
  varyFlag,
  {
    name: 'device',
    value: deviceNames.join('|'),
    help: 'Where to compute. auto is CUDA where it works, else the CPU.',
  },
  { name: 'threads', value: 'NUMBER', help: 'Threads inside one operator, 1–256. Default: one per core.' },
  workspaceFlag,
  jsonFlag,
  quietFlag,
  {
    name: 'dry-run',
    help: 'Check everything, print the request, the command line and what the run would take, and compute nothing.',
  },
  debugFlag,
  helpFlag,
];

/** Every flag of a method's command, generated from its declaration; basic parameters come before advanced ones. */
export function methodFlags(spec: MethodSpec): readonly FlagGroup[] {
  const fields = paramFields(spec);
  const isBasic = (field: ParamField): boolean => (field.ui.group ?? 'basic') === 'basic';
  const groups: readonly FlagGroup[] = [
    { title: 'Models', flags: Object.entries(spec.models).flatMap(([role, need]) => modelFlags(role, need)) },
    { title: 'Data', flags: Object.entries(spec.data).flatMap(([role, need]) => dataFlags(role, need)) },
    { title: 'Parameters', flags: [...presetFlags(spec), ...fields.filter(isBasic).map(paramFlag)] },
    { title: 'Advanced parameters', flags: fields.filter((field) => !isBasic(field)).map(paramFlag) },
    { title: 'General', flags: [...aheadFlags(spec), ...generalFlags] },
  ].filter((group) => group.flags.length > 0);
  refuseCollisions(spec, groups);
  return groups;
}

const aheadFlags = ({ lookAhead }: MethodSpec): readonly Flag[] =>
  lookAhead ? [{ name: 'preflight', help: `Say what can be expected, and start nothing. ${lookAhead.help}` }] : [];

function presetFlags(spec: MethodSpec): readonly Flag[] {
  const names = Object.keys(spec.recipes);
  const file: Flag = {
    name: 'params',
    value: 'FILE.json',
    help: 'Read parameters from a JSON object. Flags go before it, it goes before the recipe.',
  };
  if (names.length === 0) return [file];
  const texts = Object.entries(spec.recipes).map(([name, recipe]) => `${name}: ${recipe.help}`);
  return [{ name: 'recipe', value: names.join('|'), help: `Start from a prepared set. ${sentences(texts)}` }, file];
}

function modelFlags(role: string, need: ModelNeed): readonly Flag[] {
  const name = kebabCase(role);
  const fallback =
    need.default === undefined ? (need.optional ? 'Optional.' : 'Required.') : `Default: ${need.default}.`;
  const again = Array.from({ length: (need.several ?? 1) - 1 }, (_, i) => `${name}${i + 2}`);
  const more =
    again.length === 0 ? undefined : `Up to ${again.length + 1}: give it again, or name them --${again[0]}, and so on.`;
  const flags: readonly Flag[] = [
    {
      name,
      value: need.zoo ? 'NAME|FILE.onnx' : 'FILE.onnx',
      help: sentences([need.title, need.help, more, fallback]),
      again,
    },
    {
      name: `${name}-mean`,
      value: 'NUMBER,…',
      help: 'What the file expects of pixels in [0, 1]: the mean taken off, one a channel or one for all. Default: what the file or its settings beside it say, else none.',
    },
    { name: `${name}-std`, value: 'NUMBER,…', help: `What is divided by after that; goes with --${name}-mean.` },
    { ...dimsFlag, name: `${name}-dims` },
    {
      name: `${name}-classes`,
      value: 'NAME,…',
      help: 'What its classes are called, for captions and tables; a JSON list where names have commas.',
    },
  ];
  return need.entryOf === undefined ? flags : flags.map((flag) => ({ ...flag, isHidden: true }));
}

function dataFlags(role: string, need: DataNeed): readonly Flag[] {
  const name = kebabCase(role);
  return [
    {
      name,
      value: 'DIR|FILE',
      help: sentences([need.title, need.help, need.optional ? 'Optional.' : 'Required.']),
    },
    { name: `${name}-split`, value: splits.join('|'), help: `Which part of it. Default: ${need.split ?? 'all'}.` },
    { name: `${name}-format`, value: dataFormats.join('|'), help: 'How its files are read. Default: auto.' },
    { name: `${name}-limit`, value: 'NUMBER', help: 'Use only so many items, drawn with the seed. Default: all.' },
  ];
}

function paramFlag(field: ParamField): Flag {
  const { title, unit, help, source } = field.ui;
  const { shape } = field;
  const head = unit === undefined || unit === '1' ? title : `${title} (${unit})`;
  const hasDefault = field.fallback !== undefined;
  const facts = [
    hasDefault
      ? `Default: ${shape.kind === 'boolean' ? (field.fallback === true ? 'on' : 'off') : formatValue(shape, field.fallback)}`
      : undefined,
    !hasDefault && field.required ? 'Required' : undefined,
    rangeText(shape),
    source === undefined ? undefined : `source: ${source}`,
  ].filter((fact) => fact !== undefined);
  const text = sentences([head, help, facts.join('; ')]);
  if (shape.kind === 'boolean') return { name: field.flag, negatable: true, help: text };
  return { name: field.flag, value: placeholder(shape), help: text };
}

function placeholder(shape: ValueShape): string {
  switch (shape.kind) {
    case 'boolean':
      return 'true|false';
    case 'none':
      return 'none';
    case 'text':
      return 'TEXT';
    case 'json':
      return 'JSON';
    case 'number':
      return 'NUMBER';
    case 'choice':
      return shape.choices.join('|');
    case 'list':
      return `${placeholder(shape.item)},…`;
    case 'either':
      return shape.options.map(placeholder).join('|');
  }
}

/** "from 0 to 1"; undefined without bounds. */
function rangeText(shape: ValueShape): string | undefined {
  if (shape.kind === 'list') return rangeText(shape.item);
  if (shape.kind === 'either') return shape.options.map(rangeText).find((text) => text !== undefined);
  if (shape.kind !== 'number') return undefined;
  const range = describeRange(shape).trim();
  const whole = shape.whole ? 'whole' : undefined;
  return [whole, range === '' ? undefined : range].filter((part) => part !== undefined).join(', ') || undefined;
}

/** Joins texts, each ending with a full stop. */
function sentences(texts: readonly (string | undefined)[]): string {
  return texts
    .filter((text) => text !== undefined && text !== '')
    .map((text) => (/[.!?]$/.test(text ?? '') ? text : `${text}.`))
    .join(' ');
}

function refuseCollisions(spec: MethodSpec, groups: readonly FlagGroup[]): void {
  const seen = new Set<string>();
  for (const { name } of groups.flatMap((group) => group.flags)) {
    invariant(!seen.has(name), `method ${spec.id} declares the flag --${name} once`);
    seen.add(name);
  }
}
