import { WorkbenchError } from '../base/errors.ts';
import type { StartCommand } from '../contract/job.ts';
import type { Environment, ModelRef, RunRequest } from '../contract/run.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { Method, MethodRegistry } from '../methods/registry.ts';
import { canonicalJson, sha256Of } from './canonical-json.ts';
import type { CheckpointIdentity } from './checkpoint-manifest.ts';
import { loadCheckpoint, type LoadedCheckpoint } from './checkpoints.ts';
import { describeMachine } from './environment.ts';
import type { JobInputs } from './inputs.ts';

/** Everything that is settled before a method's first step. */
export interface PreparedJob {
  readonly method: Method;
  /** Parameters lifted to the method's version, models with their hash. */
  readonly request: RunRequest;
  readonly environment: Environment;
  readonly identity: CheckpointIdentity;
  readonly loaded: LoadedCheckpoint | undefined;
}

/** @throws METHOD_UNKNOWN, PARAM_INVALID, DEVICE_UNAVAILABLE, MODEL_UNREADABLE, DATA_UNREADABLE, CHECKPOINT_STALE */
export async function prepareJob(
  { runId, workspaceDir, request, resume }: StartCommand,
  { registry, inputs }: { readonly registry: MethodRegistry; readonly inputs: JobInputs },
): Promise<PreparedJob> {
  const method = Object.hasOwn(registry, request.methodId) ? registry[request.methodId] : undefined;
  if (!method) {
    throw new WorkbenchError('METHOD_UNKNOWN', `There is no method "${request.methodId}"`, {
      hint: `Methods: ${Object.keys(registry).join(', ') || 'none'}.`,
    });
  }
  const params = liftParams(method.spec, request);
  const deviceUsed = await inputs.resolveDevice(request.device);
  const models = await mapValues(request.models, (ref, role) => checkedHash(role, ref, inputs));
  const weights = await weightsOf(request.models, inputs);
  const data = await mapValues(request.data, async (ref, role) =>
    inputs.hashData(role, ref, await inputs.filesBeside(ref)),
  );
  const environment: Environment = {
    ...describeMachine(),
    deviceAsked: request.device,
    deviceUsed,
    threads: request.threads,
    models,
    ...(weights === undefined ? {} : { weights }),
    data,
  };
  const identity: CheckpointIdentity = {
    methodId: request.methodId,
    methodVersion: method.spec.version,
    request: sha256Of(canonicalJson({ ...request, methodVersion: method.spec.version, params })),
    models,
    ...(weights === undefined ? {} : { weights }),
    data,
    device: deviceUsed,
  };
  return {
    method,
    request: {
      ...request,
      params,
      models: await mapValues(request.models, (ref, role) => withHash(ref, models[role])),
    },
    environment,
    identity,
    loaded: resume ? loadCheckpoint(workspaceDir, runId, identity) : undefined,
  };
}

/** Lifts the parameters of an older version of the method, one version at a time. */
function liftParams(spec: MethodSpec, request: RunRequest): Record<string, unknown> {
  if (request.methodVersion > spec.version) {
    throw new WorkbenchError(
      'PARAM_INVALID',
      `The run was made for version ${request.methodVersion} of ${spec.id}, this is version ${spec.version}`,
      { hint: 'Update Palimpsest.' },
    );
  }
  let params = request.params;
  for (let version = request.methodVersion; version < spec.version; version++) {
    const lift = spec.migrations?.[version];
    if (!lift) throw new WorkbenchError('INTERNAL', `Method ${spec.id} has no migration from version ${version}`);
    params = lift(params);
  }
  return params;
}

async function checkedHash(role: string, ref: ModelRef, inputs: JobInputs): Promise<string> {
  const sha256 = await inputs.hashModel(role, ref);
  if (ref.kind === 'zoo' || ref.sha256 === undefined || ref.sha256 === sha256) return sha256;
  throw new WorkbenchError(
    'MODEL_UNREADABLE',
    `The ${role} model ${ref.path} has changed since the run was made: expected SHA-256 ${ref.sha256}, got ${sha256}`,
    { hint: 'Put the file back, or start a new run with the new one.' },
  );
}

/** The files beside each model that is in several; undefined where none is. */
async function weightsOf(models: RunRequest['models'], inputs: JobInputs): Promise<Environment['weights']> {
  const found = await mapValues(models, async (ref) => (ref.kind === 'file' ? inputs.hashWeights(ref.path) : {}));
  const several = Object.entries(found).filter(([, files]) => Object.keys(files).length > 0);
  return several.length === 0 ? undefined : Object.fromEntries(several);
}

function withHash(ref: ModelRef, sha256: string | undefined): ModelRef {
  return ref.kind === 'file' && sha256 !== undefined ? { ...ref, sha256 } : ref;
}

async function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  map: (value: In, key: string) => Out | Promise<Out>,
): Promise<Record<string, Out>> {
  const entries = Object.entries(record).map(async ([key, value]) => [key, await map(value, key)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
