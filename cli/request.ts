import { readFileSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import { toWorkbenchError, WorkbenchError } from '../core/base/errors.ts';
import {
  ClassNames,
  DataRef,
  dataFormats,
  DeviceName,
  deviceNames,
  Normalisation,
  splits,
  type ModelRef,
  type RunRequest,
} from '../core/contract/run.ts';
import type { DataNeed, MethodSpec, ModelNeed } from '../core/methods/define.ts';
import { kebabCase, settleFiles } from '../core/methods/parameters.ts';
import { bundledFolder, bundledPrefix } from '../core/service/path-names.ts';
import type { Arguments } from './arguments.ts';
import { readDims } from './model-file.ts';
import { mergeParams } from './params.ts';
import { didYouMean } from './suggest.ts';

export interface RequestSurroundings {
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** When --threads is not given. */
  readonly defaultThreads: number;
  /** Names that a role with `zoo` accepts beside files. */
  readonly architectures: readonly string[];
}

/**
 * What the flags ask for, checked as far as it can be without opening a model or data.
 * @throws USAGE, PARAM_INVALID, MODEL_UNREADABLE, DATA_UNREADABLE
 */
export function buildRequest(spec: MethodSpec, args: Arguments, where: RequestSurroundings): RunRequest {
  const recipe = choice(args, 'recipe', Object.keys(spec.recipes));
  const file = args.text('params');
  const params = mergeParams(spec, {
    recipe,
    file: file === undefined ? undefined : { name: file, json: readJson(resolve(where.cwd, file)) },
    flags: args,
  });
  return {
    methodId: spec.id,
    methodVersion: spec.version,
    ...(recipe === undefined ? {} : { recipe }),
    params: settleFiles(spec, params, (path) => resolve(where.cwd, path)),
    models: models(spec, args, where),
    data: data(spec, args, where),
    device: DeviceName.parse(choice(args, 'device', deviceNames) ?? 'auto'),
    threads: wholeNumber(args, 'threads', 1, 256) ?? where.defaultThreads,
  };
}

function models(spec: MethodSpec, args: Arguments, where: RequestSurroundings): Record<string, ModelRef> {
  const entries = Object.entries(spec.models).flatMap(([role, need]) => {
    const text = args.text(kebabCase(role)) ?? need.default;
    if (text !== undefined) {
      const reference = modelReference(role, need, text, where);
      const name = kebabCase(role);
      return [[role, withNames(withDims(withNormalisation(reference, name, args), name, args), name, args)] as const];
    }
    if (need.optional) return [];
    throw missingRole(spec, role, need.title, need.zoo ? 'an architecture or an ONNX file' : 'an ONNX file');
  });
  return Object.fromEntries(entries);
}

function modelReference(role: string, need: ModelNeed, text: string, where: RequestSurroundings): ModelRef {
  const flag = `--${kebabCase(role)}`;
  if (text.startsWith(bundledPrefix)) {
    const name = text.slice(bundledPrefix.length);
    const path = join(bundledFolder, `${basename(name)}.onnx`);
    if (isFile(path)) return { kind: 'file', path };
    throw new WorkbenchError('MODEL_UNREADABLE', `Flag ${flag}: there is no bundled model "${name}"`, {
      hint: 'See assets/models for the ones there are.',
    });
  }
  if (need.zoo && where.architectures.includes(text)) return { kind: 'zoo', architecture: text };
  const path = resolve(where.cwd, text);
  if (exists(path)) return modelFile(flag, path);
  if (need.zoo && extname(text) === '' && basename(text) === text) {
    const meant = didYouMean(text, where.architectures);
    throw new WorkbenchError('USAGE', `Flag ${flag}: "${text}" is neither an architecture nor a file`, {
      hint: [meant, `Architectures: ${where.architectures.join(', ')}.`].filter((part) => part !== undefined).join(' '),
    });
  }
  throw new WorkbenchError('MODEL_UNREADABLE', `Flag ${flag}: there is no file ${path}`, {
    hint: 'Give the path of an ONNX file.',
  });
}

function withNormalisation(reference: ModelRef, name: string, args: Arguments): ModelRef {
  const mean = numbers(args, `${name}-mean`);
  const std = numbers(args, `${name}-std`);
  if (mean === undefined && std === undefined) return reference;
  if (mean === undefined || std === undefined || reference.kind === 'zoo') {
    const problem = reference.kind === 'zoo' ? `with the architecture "${reference.architecture}"` : 'alone';
    throw new WorkbenchError('USAGE', `Flag --${name}-${mean === undefined ? 'std' : 'mean'} was given ${problem}`, {
      hint: `Give --${name}-mean and --${name}-std together, with an ONNX file.`,
    });
  }
  const read = Normalisation.safeParse({ mean, std });
  if (read.success) return { ...reference, normalisation: read.data };
  throw new WorkbenchError('PARAM_INVALID', `Flag --${name}-std: expected numbers above 0, got ${std.join(',')}`, {
    hint: 'Standard deviations are of pixels in [0, 1], for instance 0.3081.',
  });
}

function withDims(reference: ModelRef, name: string, args: Arguments): ModelRef {
  const dims = readDims(args, `${name}-dims`);
  if (Object.keys(dims).length === 0) return reference;
  if (reference.kind === 'file') return { ...reference, dims };
  throw new WorkbenchError('USAGE', `Flag --${name}-dims was given with the architecture "${reference.architecture}"`, {
    hint: `--${name}-dims is for ONNX files whose sizes are open.`,
  });
}

function withNames(reference: ModelRef, name: string, args: Arguments): ModelRef {
  const text = args.text(`${name}-classes`);
  if (text === undefined) return reference;
  if (reference.kind === 'zoo') {
    const got = `the architecture "${reference.architecture}"`;
    throw new WorkbenchError('USAGE', `Flag --${name}-classes was given with ${got}`, {
      hint: `--${name}-classes is for ONNX files.`,
    });
  }
  const read = ClassNames.safeParse(text.startsWith('[') ? jsonOr(text) : text.split(',').map((part) => part.trim()));
  if (read.success) return { ...reference, classNames: read.data };
  throw new WorkbenchError('PARAM_INVALID', `Flag --${name}-classes: expected names apart by commas, got "${text}"`, {
    hint: 'One for each class, by number; a JSON list where names have commas: \'["cat, big","dog"]\'.',
  });
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Numbers apart by commas; undefined when the flag was not given. */
function numbers(args: Arguments, name: string): readonly number[] | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.every(Number.isFinite)) return values;
  throw new WorkbenchError('PARAM_INVALID', `Flag --${name}: expected numbers apart by commas, got "${text}"`, {
    hint: `For instance --${name} 0.485,0.456,0.406.`,
  });
}

/** What can be seen from outside; the job reads the file itself. */
function modelFile(flag: string, path: string): ModelRef {
  const stats = statSync(path);
  const problem = stats.isDirectory() ? 'a folder' : stats.size === 0 ? 'an empty file' : undefined;
  if (problem === undefined) return { kind: 'file', path };
  throw new WorkbenchError('MODEL_UNREADABLE', `Flag ${flag}: expected an ONNX file, got ${problem}: ${path}`, {
    hint: 'Give the path of an ONNX file.',
  });
}

function data(spec: MethodSpec, args: Arguments, where: RequestSurroundings): Record<string, DataRef> {
  const entries = Object.entries(spec.data).flatMap(([role, need]) => {
    const name = kebabCase(role);
    const text = args.text(name);
    if (text !== undefined) return [[role, dataReference(name, need, text, args, where)] as const];
    refuseLoneDetails(name, args);
    if (need.optional) return [];
    throw missingRole(spec, role, need.title, 'a folder or a file');
  });
  return Object.fromEntries(entries);
}

function dataReference(
  name: string,
  need: DataNeed,
  text: string,
  args: Arguments,
  where: RequestSurroundings,
): DataRef {
  const path = resolve(where.cwd, text);
  if (!exists(path)) {
    throw new WorkbenchError('DATA_UNREADABLE', `Flag --${name}: there is nothing at ${path}`, {
      hint: 'Give a folder of images, a folder with IDX or CIFAR files, or a .npy, .npz or .csv file.',
    });
  }
  const limit = wholeNumber(args, `${name}-limit`, 1, Number.MAX_SAFE_INTEGER);
  return DataRef.parse({
    path,
    format: choice(args, `${name}-format`, dataFormats),
    split: choice(args, `${name}-split`, splits) ?? need.split,
    ...(limit === undefined ? {} : { limit }),
  });
}

function refuseLoneDetails(name: string, args: Arguments): void {
  const lone = ['split', 'format', 'limit'].find((detail) => args.text(`${name}-${detail}`) !== undefined);
  if (lone === undefined) return;
  throw new WorkbenchError('USAGE', `Flag --${name}-${lone} was given without --${name}`, {
    hint: `Name the data with --${name} DIR.`,
  });
}

function missingRole(spec: MethodSpec, role: string, title: string, expected: string): WorkbenchError {
  return new WorkbenchError(
    'USAGE',
    `${spec.title} needs --${kebabCase(role)} (${title}): expected ${expected}, got nothing`,
    {
      hint: `Add --${kebabCase(role)} PATH.`,
    },
  );
}

/** The text of a flag that must be one of `choices`; undefined when it was not given. */
export function choice<T extends string>(args: Arguments, name: string, choices: readonly T[]): T | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const found = choices.find((each) => each === text);
  if (found !== undefined) return found;
  throw new WorkbenchError('PARAM_INVALID', `Flag --${name}: expected one of ${choices.join(', ')}, got "${text}"`, {
    hint: didYouMean(text, choices) ?? `Choose one of ${choices.join(', ')}.`,
  });
}

export function wholeNumber(args: Arguments, name: string, least: number, most: number): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new WorkbenchError('PARAM_INVALID', `Flag --${name}: expected a whole number ${range}, got "${text}"`, {
    hint: `Give --${name} a whole number ${range}.`,
  });
}

/** Far more than all parameters of any method take. */
const largestJsonBytes = 2 ** 20;

function readJson(path: string): Record<string, unknown> {
  let json: unknown;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error('expected a file');
    if (stats.size > largestJsonBytes) {
      throw new Error(`expected at most ${largestJsonBytes} bytes, got ${stats.size}`);
    }
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    throw new WorkbenchError(
      'PARAM_INVALID',
      `Cannot read the parameters in ${path}: ${toWorkbenchError(thrown).message}`,
      {
        hint: 'Give --params a file with one JSON object, for instance {"steps": 100}.',
        cause: thrown,
      },
    );
  }
  const read = z.record(z.string(), z.unknown()).safeParse(json);
  if (read.success) return read.data;
  throw new WorkbenchError('PARAM_INVALID', `The parameters in ${path} are not a JSON object`, {
    hint: 'Write them as {"name": value, …} with the names that --help shows, in camelCase.',
  });
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
