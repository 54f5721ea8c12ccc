import { WorkbenchError } from '../../base/errors.ts';

/** What is being read, for messages and for files beside it. */
export interface Source {
  /** The path as the user gave it; undefined for bytes from memory. */
  readonly path: string | undefined;
}

const nameOf = (source: Source): string => source.path ?? 'The model';

/** MODEL_UNREADABLE naming the file. */
export function unreadable(
  source: Source,
  message: string,
  hint = 'Export the model again.',
  cause?: unknown,
): WorkbenchError {
  return new WorkbenchError('MODEL_UNREADABLE', `${nameOf(source)}: ${message}`, { hint, cause });
}

export function unsupportedPart(source: Source, message: string, hint: string): WorkbenchError {
  return new WorkbenchError('OP_UNSUPPORTED', `${nameOf(source)}: ${message}`, { hint });
}

/** At most eight names, then a count. */
export function listed(names: readonly string[]): string {
  const rest = names.length - 8;
  return names.slice(0, 8).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
