import { WorkbenchError } from '../base/errors.ts';

/** The bytes are not what the format promises. */
export function unreadable(message: string, hint: string, cause?: unknown): WorkbenchError {
  return new WorkbenchError('DATA_UNREADABLE', message, { hint, cause });
}

/** The data are sound but not what was asked for. */
export function unsuitable(message: string, hint: string): WorkbenchError {
  return new WorkbenchError('DATA_UNSUITABLE', message, { hint });
}

/** A number as a reader likes it in a message: 60,000. */
export const grouped = (value: number): string => value.toLocaleString('en-US');
