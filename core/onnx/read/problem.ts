import { WorkbenchError } from '../../base/errors.ts';
import { type RuleId, rules } from '../validate/rules.ts';

/** What is being read, for messages and for files beside it. */
export interface Source {
  /** The path as the user gave it; undefined for bytes from memory. */
  readonly path: string | undefined;
}

const longest = 300;

/** Text of a file for a message: no control characters, not longer than a reader likes. */
export function shown(text: string): string {
  const plain = text.slice(0, longest).replace(/\p{Cc}|\p{Cf}/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
  return text.length > longest ? `${plain} …` : plain;
}

/** The error of a broken rule: its code, the file, what was found, what to do; the id stands in `details.rule`. */
export function refusal(
  rule: RuleId,
  source: Source,
  message: string,
  more: { readonly hint?: string; readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
): WorkbenchError {
  const { code, hint } = rules[rule];
  return new WorkbenchError(code, `${source.path ?? 'The model'}: ${message}`, {
    hint: `${more.hint ?? hint} (${rule} in docs/hostile-files.md)`,
    details: { rule, ...more.details },
    cause: more.cause,
  });
}

/** At most eight names, then a count. */
export function listed(names: readonly string[]): string {
  const rest = names.length - 8;
  return names.slice(0, 8).map(shown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
