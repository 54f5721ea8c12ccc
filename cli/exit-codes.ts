import type { ErrorCode } from '../core/base/errors.ts';

/** What the process ends with; docs/cli.md shows this table. */
export const exitCodes = {
  ok: { code: 0, meaning: 'done' },
  different: { code: 1, meaning: '`verify-gradients`: a tensor differs by more than its tolerance' },
  usage: { code: 2, meaning: 'unknown verb, method or flag, or a value that is not allowed' },
  model: { code: 3, meaning: 'a model cannot be read or does not suit the method' },
  data: { code: 4, meaning: 'data, or a bundle of runs, cannot be read or does not suit the model' },
  device: { code: 5, meaning: 'the device asked for cannot be used' },
  numeric: { code: 6, meaning: 'the computation left the finite numbers' },
  workspace: { code: 7, meaning: 'the workspace cannot be used, or another process is writing into it' },
  run: { code: 8, meaning: 'there is no such run, or its state does not allow it' },
  crashed: { code: 9, meaning: 'the process that computed died; the run is kept' },
  internal: { code: 70, meaning: 'a fault of the workbench' },
  cancelled: { code: 130, meaning: 'stopped by Ctrl-C; the run is kept' },
} as const;

export type ExitReason = keyof typeof exitCodes;

const reasons: Readonly<Record<ErrorCode, ExitReason>> = {
  USAGE: 'usage',
  PARAM_INVALID: 'usage',
  METHOD_UNKNOWN: 'usage',
  RUN_UNKNOWN: 'run',
  RUN_STATE: 'run',
  MODEL_UNREADABLE: 'model',
  MODEL_UNSUITABLE: 'model',
  MODEL_NOT_FINITE: 'model',
  OP_UNSUPPORTED: 'model',
  OP_NO_GRADIENT: 'model',
  SHAPE_MISMATCH: 'model',
  DATA_UNREADABLE: 'data',
  DATA_UNSUITABLE: 'data',
  BUNDLE_UNREADABLE: 'data',
  DEVICE_UNAVAILABLE: 'device',
  NUMERIC_DIVERGED: 'numeric',
  CHECKPOINT_STALE: 'run',
  WORKSPACE_UNUSABLE: 'workspace',
  WORKSPACE_BUSY: 'workspace',
  JOB_CRASHED: 'crashed',
  CANCELLED: 'cancelled',
  INTERNAL: 'internal',
};

export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[reasons[code]].code;
}
