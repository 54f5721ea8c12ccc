import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { toWorkbenchError } from '../base/errors.ts';
import type { Assessment, Complaint, Estimate, ParsedParams } from '../contract/bridge.ts';
import type { ModelInspection } from '../contract/inspection.ts';
import type { DataRef, ModelRef, RunRequest } from '../contract/run.ts';
import { commandLine } from '../methods/command-line.ts';
import type { MethodSpec, ModelNeed } from '../methods/define.ts';
import { describeShape, paramFields, settleFiles } from '../methods/parameters.ts';
import { foundClassNames, foundNormalisation } from './complete-models.ts';
import type { HashedFile, ModelWords } from './library.ts';
import type { Inspect } from './model-inspector.ts';
import { bundledFolder, bundledPrefix, pathNamer } from './path-names.ts';

export interface AssessSurroundings {
  readonly specs: readonly MethodSpec[];
  readonly architectures: readonly string[];
  readonly defaultThreads: number;
  /** Folder that paths in the command line are relative to. */
  readonly cwd: string;
  readonly inspect: Inspect;
  /** What the user said on its card about the file with this SHA-256. */
  readonly wordsOf: (model: HashedFile) => ModelWords;
  readonly estimate: (spec: MethodSpec, request: RunRequest) => Promise<Estimate | null>;
}

type Draft = ParsedParams<'runs.assess'>;

/** Is the form, as it is, a run that can be made? What is wrong with it is said field by field. */
export async function assess(draft: Draft, where: AssessSurroundings): Promise<Assessment> {
  const { spec, request, complaints } = await complete(draft, where);
  if (!spec || !request) return { request: null, complaints: [...complaints], command: null, estimate: null };
  const command = commandLine(spec, request, { nameOfPath: pathNamer(where.cwd) });
  return { request, complaints: [], command, estimate: await where.estimate(spec, request) };
}

export interface Completion {
  readonly spec: MethodSpec | undefined;
  /** With all that the form left open; null while something is wrong. */
  readonly request: RunRequest | null;
  readonly complaints: readonly Complaint[];
}

/** The run that the form stands for, without what it costs. */
export async function complete(draft: Draft, where: AssessSurroundings): Promise<Completion> {
  const spec = where.specs.find(({ id }) => id === draft.methodId);
  if (!spec) {
    const known = where.specs.map(({ id }) => id).join(', ');
    const complaint = {
      field: 'methodId',
      message: `There is no method "${draft.methodId}"`,
      hint: `Methods: ${known}.`,
    };
    return { spec, request: null, complaints: [complaint] };
  }
  const complaints: Complaint[] = [];
  const params = readParams(spec, draft, complaints);
  const models = await readModels(spec, draft, where, complaints);
  const data = readData(spec, draft, complaints);
  if (complaints.length > 0 || !params) return { spec, request: null, complaints };
  const request: RunRequest = {
    methodId: spec.id,
    methodVersion: spec.version,
    ...(draft.recipe === undefined ? {} : { recipe: draft.recipe }),
    params: settleFiles(spec, params, (path) => resolve(where.cwd, path)),
    models,
    data,
    device: draft.device,
    threads: draft.threads ?? where.defaultThreads,
  };
  return { spec, request, complaints };
}

function readParams(spec: MethodSpec, draft: Draft, complaints: Complaint[]): Record<string, unknown> | undefined {
  const isKnown = draft.recipe === undefined || Object.hasOwn(spec.recipes, draft.recipe);
  if (!isKnown) {
    complaints.push({ field: 'recipe', message: `${spec.title} has no recipe "${draft.recipe}"` });
    return undefined;
  }
  const recipe = draft.recipe === undefined ? {} : spec.recipes[draft.recipe]?.params;
  const merged: Record<string, unknown> = { ...recipe, ...draft.params };
  const parsed = spec.params.safeParse(merged);
  if (parsed.success) return parsed.data;
  const fields = paramFields(spec);
  const seen = new Set<string>();
  for (const issue of parsed.error.issues) {
    const field = fields.find(({ name }) => name === issue.path[0]);
    const name = field?.name ?? 'params';
    if (seen.has(name)) continue;
    seen.add(name);
    const found = field && merged[name] !== undefined ? JSON.stringify(merged[name]) : 'nothing';
    const message =
      field && issue.code !== 'custom'
        ? `${field.ui.title}: expected ${describeShape(field.shape)}, got ${found}`
        : issue.message;
    complaints.push({ field: name, message });
  }
  return undefined;
}

async function readModels(
  spec: MethodSpec,
  draft: Draft,
  where: AssessSurroundings,
  complaints: Complaint[],
): Promise<Record<string, ModelRef>> {
  refuseUnknown('models', draft.models, spec.models, complaints);
  const models: Record<string, ModelRef> = {};
  for (const [role, need] of Object.entries(spec.models)) {
    const reference = draft.models[role] ?? defaultModel(need);
    const field = `models.${role}`;
    if (!reference) {
      if (!need.optional) complaints.push({ field, message: `${need.title}: choose a model` });
      continue;
    }
    const settled = settle(reference);
    const checked =
      settled.kind === 'zoo' ? checkArchitecture(settled, need, where) : await checkFile(settled, need, where);
    if ('problem' in checked) complaints.push({ field, ...checked.problem });
    else models[role] = checked.model;
  }
  return models;
}

function defaultModel(need: ModelNeed): ModelRef | undefined {
  if (need.default === undefined) return undefined;
  return need.default.startsWith(bundledPrefix)
    ? { kind: 'file', path: need.default }
    : { kind: 'zoo', architecture: need.default };
}

/** `bundled:NAME` → its path. */
export function settlePath(path: string): string {
  return path.startsWith(bundledPrefix)
    ? join(bundledFolder, `${basename(path.slice(bundledPrefix.length))}.onnx`)
    : path;
}

const settle = (reference: ModelRef): ModelRef =>
  reference.kind === 'zoo' ? reference : { ...reference, path: settlePath(reference.path) };

type Checked = { readonly model: ModelRef } | { readonly problem: Omit<Complaint, 'field'> };

function checkArchitecture(
  model: Extract<ModelRef, { kind: 'zoo' }>,
  need: ModelNeed,
  { architectures }: AssessSurroundings,
): Checked {
  if (!need.zoo) return { problem: { message: `${need.title}: expected an ONNX file, got an architecture` } };
  if (architectures.includes(model.architecture)) return { model };
  return {
    problem: {
      message: `${need.title}: there is no architecture "${model.architecture}"`,
      hint: `Architectures: ${architectures.join(', ')}.`,
    },
  };
}

async function checkFile(
  model: Extract<ModelRef, { kind: 'file' }>,
  need: ModelNeed,
  { inspect, wordsOf }: AssessSurroundings,
): Promise<Checked> {
  if (!statSync(model.path, { throwIfNoEntry: false })?.isFile()) {
    return { problem: { message: `${need.title}: there is no file ${model.path}`, hint: 'Choose an ONNX file.' } };
  }
  try {
    const inspection = await inspect(model.path, model.dims);
    const problem = whyUnfit(inspection, need);
    if (problem) return { problem };
    const words = wordsOf(inspection.file);
    const normalisation = model.normalisation ?? words.normalisation ?? foundNormalisation(inspection)?.normalisation;
    const said = model.classNames ?? (words.classNames?.every((name) => name !== '') && words.classNames);
    const names = said ? { classNames: said } : foundClassNames(inspection);
    return { model: { ...model, ...(normalisation && { normalisation }), ...names } };
  } catch (thrown) {
    const { message, hint } = toWorkbenchError(thrown);
    return { problem: { message, ...(hint === undefined ? {} : { hint }) } };
  }
}

/** Why a file that can be read cannot play this part of a method; undefined when it can. */
export function whyUnfit(
  { classifier, problems, differentiability }: ModelInspection,
  need: ModelNeed,
): Omit<Complaint, 'field'> | undefined {
  const [problem] = problems;
  if (!classifier) return { message: problem?.message ?? 'It is no image classifier', hint: problem?.hint ?? '' };
  const order = need.gradients === 0 ? undefined : differentiability[need.gradients === 1 ? 'order1' : 'order2'];
  if (!order || order.isPossible) return undefined;
  const missing = [...new Set(order.missing.map(({ op }) => op))].join(', ');
  return {
    message: `${need.title}: derivatives of order ${need.gradients} are needed, and ${order.reason ?? `there is no rule for ${missing}`}`,
    hint: 'Choose a model without these operators; docs/ops.md lists those that have rules.',
  };
}

function readData(spec: MethodSpec, draft: Draft, complaints: Complaint[]): Record<string, DataRef> {
  refuseUnknown('data', draft.data, spec.data, complaints);
  const data: Record<string, DataRef> = {};
  for (const [role, need] of Object.entries(spec.data)) {
    const reference = draft.data[role];
    const field = `data.${role}`;
    if (!reference) {
      if (!need.optional) complaints.push({ field, message: `${need.title}: choose a data set` });
      continue;
    }
    if (statSync(reference.path, { throwIfNoEntry: false })) data[role] = reference;
    else {
      complaints.push({
        field,
        message: `${need.title}: there is nothing at ${reference.path}`,
        hint: 'Choose a folder of images, a folder with IDX or CIFAR files, or a .npy, .npz or .csv file.',
      });
    }
  }
  return data;
}

function refuseUnknown(
  kind: 'models' | 'data',
  given: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
  complaints: Complaint[],
): void {
  for (const role of Object.keys(given)) {
    if (Object.hasOwn(known, role)) continue;
    complaints.push({ field: `${kind}.${role}`, message: `There is no role "${role}" for ${kind}` });
  }
}
