import { WorkbenchError } from '../base/errors.ts';

/** The bytes are not what the format promises. */
export function unreadable(message: string, hint: string, cause?: unknown): WorkbenchError {
  return new WorkbenchError('DATA_UNREADABLE', plain(message), { hint, cause });
}

/** The data are sound but not what was asked for. */
export function unsuitable(message: string, hint: string): WorkbenchError {
  return new WorkbenchError('DATA_UNSUITABLE', plain(message), { hint });
}

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
