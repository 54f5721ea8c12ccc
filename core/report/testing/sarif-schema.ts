import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { z } from 'zod';

/**
 * The official JSON schema of SARIF 2.1.0, as a package of Microsoft's SDK carries it (revision rtm.5). It and the one that
 * the OASIS errata of 2023 publish differ in two patterns for languages and in the members of a suppression, none of which
 * our logs have. It is written for draft 4 of JSON Schema, from which draft 7 differs here in the name of `id` only.
 */
const path = fileURLToPath(import.meta.resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'));
const { $schema: _, id, ...schema } = z.looseObject({ id: z.url() }).parse(JSON.parse(readFileSync(path, 'utf8')));

/** RFC 3986: only these characters, and a percent sign only before two hexadecimal digits. */
const isReference = (text: string): boolean => /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[0-9a-f]{2})*$/i.test(text);

const validate = new Ajv({
  allErrors: true,
  unicodeRegExp: false,
  formats: {
    uri: (text: string) => isReference(text) && URL.canParse(text),
    'uri-reference': (text: string) => isReference(text) && URL.canParse(text, 'file:///'),
    'date-time': (text: string) => z.iso.datetime({ offset: true }).safeParse(text).success,
  },
}).compile({ $id: id, ...schema });

/** What the official schema objects to in a log, each with its place; nothing for a valid one. */
export function sarifErrors(log: unknown): string[] {
  if (validate(JSON.parse(JSON.stringify(log)))) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    [instancePath, message, JSON.stringify(params)].join(' '),
  );
}
