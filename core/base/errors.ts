/** Every way in which the workbench can refuse or fail. Closed: the CLI's exit codes and the docs are made from it. */
export const errorCodes = [
  'USAGE',
  'PARAM_INVALID',
  'METHOD_UNKNOWN',
  'RUN_UNKNOWN',
  'RUN_STATE',
  'MODEL_UNREADABLE',
  'MODEL_UNSUITABLE',
  'MODEL_NOT_FINITE',
  'OP_UNSUPPORTED',
  'OP_NO_GRADIENT',
  'SHAPE_MISMATCH',
  'DATA_UNREADABLE',
  'DATA_UNSUITABLE',
  'BUNDLE_UNREADABLE',
  'DEVICE_UNAVAILABLE',
  'NUMERIC_DIVERGED',
  'CHECKPOINT_STALE',
  'WORKSPACE_UNUSABLE',
  'WORKSPACE_BUSY',
  'JOB_CRASHED',
  'CANCELLED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** The shape in which an error crosses a process or is written to disk. */
export interface ErrorShape {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details?: unknown;
}

export interface ErrorOptions {
  /** What the reader can do next. */
  readonly hint?: string | undefined;
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** The one error class. `message` says what failed, on which thing, expected X, got Y; `hint` says what to do next. */
export class WorkbenchError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WorkbenchError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }

  toShape(): ErrorShape {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromShape(shape: ErrorShape): WorkbenchError {
    return new WorkbenchError(shape.code, shape.message, { hint: shape.hint, details: shape.details });
  }
}

/** Turns anything thrown into one coded error; a foreign error becomes INTERNAL and is kept as the cause. */
export function toWorkbenchError(thrown: unknown): WorkbenchError {
  if (thrown instanceof WorkbenchError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new WorkbenchError('INTERNAL', message, {
    hint: 'This is a fault of the workbench. Please report it with the log of the run.',
    cause: thrown,
  });
}

/** A promise of our own code that does not hold; never for user input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new WorkbenchError('INTERNAL', `Broken invariant: ${message}`);
}
