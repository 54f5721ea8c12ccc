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

export interface Completed {
  readonly request: RunRequest;
  /** What was found, for the user to see. */
  readonly notes: readonly string[];
}

/**
 * The request with what model files say about their pixels, where the user said nothing: so the stored run has it, and
 * its command line. What is wrong with a file, the run says itself.
 */
export async function completeModels(request: RunRequest, spec: MethodSpec, inspect: Inspect): Promise<Completed> {
  const notes: string[] = [];
  const models: Record<string, ModelRef> = {};
  for (const [role, model] of Object.entries(request.models)) {
    models[role] = model;
    if (model.kind === 'zoo' || model.normalisation || dirname(resolve(model.path)) === resolve(bundledFolder))
      continue;
    const found = await inspect(model.path, model.dims).then(foundNormalisation, () => undefined);
    if (found === undefined) continue;
    models[role] = { ...model, normalisation: found.normalisation };
    const { mean, std } = found.normalisation;
    notes.push(
      `${spec.models[role]?.title ?? role}: pixels less ${mean.join(', ')}, over ${std.join(', ')} (${found.source})`,
    );
  }
  return { request: { ...request, models }, notes };
}
