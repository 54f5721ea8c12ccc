import { WorkbenchError } from '../base/errors.ts';

/** The bytes are not what the format promises. */
export function unreadable(message: string, hint: string, cause?: unknown): WorkbenchError {
  return new WorkbenchError('DATA_UNREADABLE', plain(message), { hint, cause });
}

/** The data are sound but not what was asked for. */
export function unsuitable(message: string, hint: string, details?: object): WorkbenchError {
  return new WorkbenchError('DATA_UNSUITABLE', plain(message), { hint, details });
}

/** A file of a data set that cannot be used, and why. */
export interface WrongFile {
  readonly path: string;
  readonly reason: string;
}

const mostListed = 1000;

/**
 * Several files are wrong: the message tells of the first, `details.wrongFiles` of each, so that they can be mended in
 * one go. One that is alone keeps its own error.
 */
export function wrongFiles(
  errors: readonly { readonly path: string; readonly error: WorkbenchError }[],
): WorkbenchError {
  const [first, ...others] = errors;
  if (!first) return new WorkbenchError('INTERNAL', 'No file is wrong');
  const more = others.length === 0 ? '' : `; ${grouped(others.length)} more cannot be used`;
  const files = errors.slice(0, mostListed).map(({ path, error }): WrongFile => ({ path, reason: error.message }));
  return new WorkbenchError(first.error.code, `${first.error.message}${more}`, {
    hint: first.error.hint,
    details: { ...detailsOf(first.error), wrongFiles: files },
    cause: first.error,
  });
}

const detailsOf = ({ details }: WorkbenchError): object =>
  typeof details === 'object' && details !== null ? details : {};

const longestMessage = 2000;

/** Messages quote names out of files: without escape sequences for a terminal, turned directions, or endless text. */
function plain(message: string): string {
  const text = message.replace(/\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
  return text.length > longestMessage ? `${text.slice(0, longestMessage)} …` : text;
}

/** A number as a reader likes it in a message: 60,000. */
export const grouped = (value: number): string => value.toLocaleString('en-US');
