import type { DataRef, ModelRef, RunRequest } from '../contract/run.ts';
import type { MethodSpec } from './define.ts';
import { kebabCase, paramFields, type ParamField } from './parameters.ts';
import { formatValue } from './param-text.ts';

export interface CommandLineOptions {
  /** How a file is named in the command: `bundled:NAME`, a relative path … Absolute as stored when absent. */
  readonly nameOfPath?: (path: string) => string;
}

/** One line for a shell that asks for the same run: `palimpsest run METHOD --flag value …`. */
export function commandLine(spec: MethodSpec, request: RunRequest, options: CommandLineOptions = {}): string {
  return ['palimpsest', ...commandArguments(spec, request, options)].map(quote).join(' ');
}

/** The same as a list of arguments, verb first. Parameters that the recipe or the defaults give are left out. */
export function commandArguments(
  spec: MethodSpec,
  request: RunRequest,
  { nameOfPath = (path) => path }: CommandLineOptions = {},
): readonly string[] {
  const verb = spec.verb === undefined ? ['run', spec.id] : [spec.verb];
  const recipe =
    request.recipe !== undefined && Object.hasOwn(spec.recipes, request.recipe) ? request.recipe : undefined;
  const models = Object.entries(request.models).flatMap(([role, model]) =>
    modelArguments(kebabCase(role), model, nameOfPath),
  );
  const data = Object.entries(request.data).flatMap(([role, reference]) =>
    dataArguments(spec, role, reference, nameOfPath),
  );
  const device = request.device === 'auto' ? [] : flag('device', request.device);
  return [
    ...verb,
    ...(recipe === undefined ? [] : flag('recipe', recipe)),
    ...models,
    ...data,
    ...paramArguments(spec, request.params, recipe),
    ...device,
    ...flag('threads', String(request.threads)),
  ];
}

/**
 * Flags for what differs from the defaults and the recipe. The seed is always said, because it is what readers look for.
 * Reading the flags back gives `params` again.
 */
export function paramArguments(
  spec: MethodSpec,
  params: Readonly<Record<string, unknown>>,
  recipe?: string,
): readonly string[] {
  const base = recipe === undefined ? {} : (spec.recipes[recipe]?.params ?? {});
  const given = new Map(Object.entries(base));
  return paramFields(spec).flatMap((field) => {
    const value = params[field.name];
    if (value === undefined) return [];
    const before = given.get(field.name) ?? field.fallback;
    return isSame(value, before) && field.name !== 'seed' ? [] : paramFlag(field, value);
  });
}

function paramFlag(field: ParamField, value: unknown): readonly string[] {
  if (field.shape.kind === 'boolean') return [value === true ? `--${field.flag}` : `--no-${field.flag}`];
  return flag(field.flag, formatValue(field.shape, value));
}

function dataArguments(
  spec: MethodSpec,
  role: string,
  reference: DataRef,
  nameOfPath: (path: string) => string,
): readonly string[] {
  const name = kebabCase(role);
  const usual = spec.data[role]?.split ?? 'all';
  return [
    ...flag(name, nameOfPath(reference.path)),
    ...(reference.split === usual ? [] : flag(`${name}-split`, reference.split)),
    ...(reference.format === 'auto' ? [] : flag(`${name}-format`, reference.format)),
    ...(reference.limit === undefined ? [] : flag(`${name}-limit`, String(reference.limit))),
  ];
}

function modelArguments(name: string, model: ModelRef, nameOfPath: (path: string) => string): readonly string[] {
  if (model.kind === 'zoo') return flag(name, model.architecture);
  const { path, normalisation, dims, classNames } = model;
  const sizes = Object.entries(dims ?? {}).map(([dimension, size]) => `${dimension}=${size}`);
  return [
    ...flag(name, fileName(path, nameOfPath(path))),
    ...(normalisation ? flag(`${name}-mean`, normalisation.mean.join(',')) : []),
    ...(normalisation ? flag(`${name}-std`, normalisation.std.join(',')) : []),
    ...(sizes.length > 0 ? flag(`${name}-dims`, sizes.join(',')) : []),
    ...(classNames ? flag(`${name}-classes`, namesText(classNames)) : []),
  ];
}

/** Apart by commas, or JSON where a name has one itself. */
function namesText(names: readonly string[]): string {
  const isPlain = names.every((name) => name === name.trim() && !/[,"[\]]/.test(name));
  return isPlain ? names.join(',') : JSON.stringify(names);
}

/** A file of the folder that could be read as an architecture, or as one that comes with the workbench, is `./NAME`. */
function fileName(path: string, named: string): string {
  const isPlain = path.endsWith(`/${named}`) || path.endsWith(`\\${named}`);
  const isAmbiguous = isPlain && !/[/\\]/.test(named) && (!named.includes('.') || named.startsWith('bundled:'));
  return isAmbiguous ? `./${named}` : named;
}

/** `--name text` as a list of arguments; in one piece where the text could be read as a flag itself. */
export function flag(name: string, text: string): readonly string[] {
  const isPlain = text !== '' && !text.startsWith('-');
  return isPlain ? [`--${name}`, text] : [`--${name}=${text}`];
}

/** Quoted for a POSIX shell where it needs to be. */
export function quote(argument: string): string {
  return /^[\w./:=,@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}

/** Equality of JSON values; -0 differs from 0. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = new Map(Object.entries(a));
  const right = new Map(Object.entries(b));
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && isSame(value, right.get(key)));
}
