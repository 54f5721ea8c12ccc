import type { DataRef, ModelRef, RunRequest } from '../contract/run.ts';
import type { MethodSpec } from './define.ts';
import { kebabCase, paramFields, settleFiles } from './parameters.ts';
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
  options: CommandLineOptions = {},
): readonly string[] {
  return [...verbArguments(spec), ...commandSettings(spec, request, options).flatMap(argumentsOf)];
}

/** A flag without its dashes, and its text, or which way a switch is set. */
export type Setting = readonly [flag: string, value: string | boolean];

export const verbArguments = (spec: MethodSpec): readonly string[] =>
  spec.verb === undefined ? ['run', spec.id] : [spec.verb];

/** @param explicit parameters that are said although the recipe or the defaults give the same */
export function commandSettings(
  spec: MethodSpec,
  request: RunRequest,
  { nameOfPath = (path) => path }: CommandLineOptions = {},
  explicit: ReadonlySet<string> = usuallyExplicit,
): readonly Setting[] {
  const recipe =
    request.recipe !== undefined && Object.hasOwn(spec.recipes, request.recipe) ? request.recipe : undefined;
  const models = Object.entries(request.models).flatMap(([role, model]) =>
    modelSettings(kebabCase(role), model, nameOfPath),
  );
  const data = Object.entries(request.data).flatMap(([role, reference]) =>
    dataSettings(spec, role, reference, nameOfPath),
  );
  const params = settleFiles(spec, request.params, (path) => (isAbsolute(path) ? asPath(nameOfPath(path)) : path));
  return [
    ...(recipe === undefined ? [] : [['recipe', recipe] as const]),
    ...models,
    ...data,
    ...paramSettings(spec, params, recipe, explicit),
    ...(request.device === 'auto' ? [] : [['device', request.device] as const]),
    ['threads', String(request.threads)],
  ];
}

const isAbsolute = (path: string): boolean => /^(?:[/\\]|[A-Za-z]:[/\\])/.test(path);

/** A name without a dot or a slash would not be taken for that of a file. */
const asPath = (name: string): string => (/[./\\]/.test(name) ? name : `./${name}`);

/** It is what readers look for. */
const usuallyExplicit: ReadonlySet<string> = new Set(['seed']);

/**
 * Flags for what differs from the defaults and the recipe. The seed is always said, because it is what readers look for.
 * Reading the flags back gives `params` again.
 */
export function paramArguments(
  spec: MethodSpec,
  params: Readonly<Record<string, unknown>>,
  recipe?: string,
): readonly string[] {
  return paramSettings(spec, params, recipe, usuallyExplicit).flatMap(argumentsOf);
}

function paramSettings(
  spec: MethodSpec,
  params: Readonly<Record<string, unknown>>,
  recipe: string | undefined,
  explicit: ReadonlySet<string>,
): readonly Setting[] {
  const base = recipe === undefined ? {} : (spec.recipes[recipe]?.params ?? {});
  const given = new Map(Object.entries(base));
  return paramFields(spec).flatMap((field): readonly Setting[] => {
    const value = params[field.name];
    if (value === undefined) return [];
    const before = given.get(field.name) ?? field.fallback;
    if (isSame(value, before) && !explicit.has(field.name)) return [];
    return [[field.flag, field.shape.kind === 'boolean' ? value === true : formatValue(field.shape, value)]];
  });
}

function dataSettings(
  spec: MethodSpec,
  role: string,
  reference: DataRef,
  nameOfPath: (path: string) => string,
): readonly Setting[] {
  const name = kebabCase(role);
  const usual = spec.data[role]?.split ?? 'all';
  return [
    [name, nameOfPath(reference.path)],
    ...(reference.split === usual ? [] : [[`${name}-split`, reference.split] as const]),
    ...(reference.format === 'auto' ? [] : [[`${name}-format`, reference.format] as const]),
    ...(reference.limit === undefined ? [] : [[`${name}-limit`, String(reference.limit)] as const]),
  ];
}

function modelSettings(name: string, model: ModelRef, nameOfPath: (path: string) => string): readonly Setting[] {
  if (model.kind === 'zoo') return [[name, model.architecture]];
  const { path, normalisation, dims, classNames, classNamesFrom } = model;
  const sizes = Object.entries(dims ?? {}).map(([dimension, size]) => `${dimension}=${size}`);
  return [
    [name, fileName(path, nameOfPath(path))],
    ...(normalisation ? [[`${name}-mean`, normalisation.mean.join(',')] as const] : []),
    ...(normalisation ? [[`${name}-std`, normalisation.std.join(',')] as const] : []),
    ...(sizes.length > 0 ? [[`${name}-dims`, sizes.join(',')] as const] : []),
    ...(classNames && classNamesFrom === undefined ? [[`${name}-classes`, namesText(classNames)] as const] : []),
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

/** `--steps 3`, `--no-loud`, `--comment=-x`. */
export function argumentsOf([name, value]: Setting): readonly string[] {
  if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
  const isPlain = value !== '' && !value.startsWith('-');
  return isPlain ? [`--${name}`, value] : [`--${name}=${value}`];
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
