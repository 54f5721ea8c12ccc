import { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import { dtypes } from '../base/tensor.ts';
import { Artifact, MetricPoint } from '../contract/run.ts';

/** Everything that a checkpoint's bits depend on. One difference and it must not be used. */
export const CheckpointIdentity = z.strictObject({
  methodId: z.string(),
  methodVersion: z.int(),
  /** SHA-256 of the canonical request. */
  request: z.string(),
  /** role → SHA-256. */
  models: z.record(z.string(), z.string()),
  /** role → file beside the model → SHA-256; absent where every model is one file. */
  weights: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  data: z.record(z.string(), z.string()),
  device: z.string(),
});
export type CheckpointIdentity = z.infer<typeof CheckpointIdentity>;

/** A tensor in one of the checkpoint's files: little-endian elements, row-major. */
export const TensorEntry = z.strictObject({
  name: z.string(),
  dtype: z.enum(dtypes),
  dims: z.array(z.int().min(0)),
  file: z.string().regex(/^[\w-]+\.bin$/),
  offsetBytes: z.int().min(0),
  sizeBytes: z.int().min(0),
  sha256: z.string(),
});
export type TensorEntry = z.infer<typeof TensorEntry>;

/** Results that were sent but perhaps not stored when the checkpoint was made: a resumed job says them again. */
export const Unstored = z.strictObject({ points: z.array(MetricPoint), artifacts: z.array(Artifact) });
export type Unstored = z.infer<typeof Unstored>;

const format = 1;

export const Manifest = z.strictObject({
  format: z.literal(format),
  sequence: z.int().positive(),
  identity: CheckpointIdentity,
  /** Share of the whole run's work that was done, 0–1. */
  fraction: z.number(),
  unstored: Unstored,
  /** null: nothing was done yet, the run begins at its beginning. */
  state: z
    .strictObject({
      phase: z.string(),
      step: z.number(),
      /** See encodeExact. */
      json: z.string(),
      tensors: z.array(TensorEntry),
      parts: z.array(TensorEntry),
    })
    .nullable(),
});
export type Manifest = z.infer<typeof Manifest>;

const Formatted = z.object({ format: z.int() });

/** What another version of the workbench wrote is whole all the same. @throws CHECKPOINT_STALE naming both formats */
export function checkFormat(manifest: unknown, runId: string): void {
  const found = Formatted.safeParse(manifest).data?.format ?? format;
  if (found === format) return;
  throw new WorkbenchError(
    'CHECKPOINT_STALE',
    `The checkpoint of run ${runId} was written by another version of Palimpsest: expected format ${format}, got ${found}`,
    { hint: 'Go on with the version that began the run (`palimpsest show` names it), or start a new run.' },
  );
}

/** @throws CHECKPOINT_STALE naming each difference. */
export function checkIdentity(found: CheckpointIdentity, wanted: CheckpointIdentity, runId: string): void {
  const ofMethod = [
    ...differing('method', found.methodId, wanted.methodId),
    ...differing('method version', String(found.methodVersion), String(wanted.methodVersion)),
  ];
  const differences = [
    ...ofMethod,
    // Another version asks in other words, which is no news beside the version.
    ...(ofMethod.length > 0 ? [] : differing('request', found.request.slice(0, 12), wanted.request.slice(0, 12))),
    ...differing('device', found.device, wanted.device),
    ...differingRoles('model', found.models, wanted.models),
    ...differingWeights(found.weights, wanted.weights),
    ...differingRoles('data', found.data, wanted.data),
  ];
  if (differences.length === 0) return;
  throw new WorkbenchError(
    'CHECKPOINT_STALE',
    `The checkpoint of run ${runId} does not fit any more: ${differences.join('; ')}`,
    { hint: 'Put back what was there when the run began, or start a new run.' },
  );
}

function differing(what: string, found: string | undefined, wanted: string | undefined): string[] {
  return found === wanted ? [] : [`it was made for ${what} ${found ?? 'none'}, this is ${wanted ?? 'none'}`];
}

/** What an older version wrote says nothing of them. */
function differingWeights(found: CheckpointIdentity['weights'], wanted: CheckpointIdentity['weights'] = {}): string[] {
  return Object.entries(found ?? {}).flatMap(([role, files]) =>
    differingRoles(`weights of "${role}" in`, files, wanted[role] ?? {}),
  );
}

type Hashes = Readonly<Record<string, string>>;

function differingRoles(what: string, found: Hashes, wanted: Hashes): string[] {
  const roles = [...new Set([...Object.keys(found), ...Object.keys(wanted)])];
  return roles.flatMap((role) => differing(`${what} "${role}"`, found[role]?.slice(0, 12), wanted[role]?.slice(0, 12)));
}
