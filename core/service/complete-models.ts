import { dirname, resolve } from 'node:path';
import type { ModelInspection } from '../contract/inspection.ts';
import type { ModelRef, Normalisation, RunRequest } from '../contract/run.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { Inspect } from './model-inspector.ts';
import { bundledFolder } from './path-names.ts';

/** Mean and standard deviation that a file, or the settings beside it, say; undefined where one of them is missing. */
export function foundNormalisation({
  preprocessing: { mean, std },
}: ModelInspection): { readonly normalisation: Normalisation; readonly source: string } | undefined {
  if (!mean || !std || mean.value.length === 0 || std.value.some((value) => !(value > 0))) return undefined;
  return { normalisation: { mean: [...mean.value], std: [...std.value] }, source: std.source };
}

/** A request with the names of many thousand classes would be mostly names. */
const mostNames = 2000;

/** What a file, or one beside it, calls the classes; undefined where nothing says it. */
export function foundClassNames({
  classNames,
}: ModelInspection): { readonly classNames: string[]; readonly classNamesFrom: string } | undefined {
  if (!classNames || classNames.value.length > mostNames) return undefined;
  return { classNames: [...classNames.value], classNamesFrom: classNames.source };
}

export interface Completed {
  readonly request: RunRequest;
  /** What was found, for the user to see. */
  readonly notes: readonly string[];
}

/**
 * The request with what model files say about their pixels and classes, where the user said nothing: so the stored run has it, and
 * its command line. What is wrong with a file, the run says itself.
 */
export async function completeModels(request: RunRequest, spec: MethodSpec, inspect: Inspect): Promise<Completed> {
  const notes: string[] = [];
  const models: Record<string, ModelRef> = {};
  for (const [role, model] of Object.entries(request.models)) {
    models[role] = model;
    if (model.kind === 'zoo' || (model.normalisation && model.classNames)) continue;
    if (dirname(resolve(model.path)) === resolve(bundledFolder)) continue;
    const inspection = await inspect(model.path, model.dims).catch(() => undefined);
    if (!inspection) continue;
    const title = spec.models[role]?.title ?? role;
    const found = model.normalisation ? undefined : foundNormalisation(inspection);
    const names = model.classNames ? undefined : foundClassNames(inspection);
    models[role] = { ...model, ...(found ? { normalisation: found.normalisation } : {}), ...names };
    if (found) {
      const { mean, std } = found.normalisation;
      notes.push(`${title}: pixels less ${mean.join(', ')}, over ${std.join(', ')} (${found.source})`);
    }
    if (names) notes.push(`${title}: ${names.classNames.length} names of classes (${names.classNamesFrom})`);
  }
  return { request: { ...request, models }, notes };
}
