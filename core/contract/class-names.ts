import { z } from 'zod';
import { readLiteral } from './literal.ts';

/**
 * Names of classes by number, in the ways in which they are written down: JSON and Python lists or dictionaries (ONNX
 * metadata of Ultralytics, `id2label` of Hugging Face, `label_names` of timm), or a line for each. Texts of strangers: what
 * is odd is no names, never an error.
 */

const mostNames = 100_000;
/** What ClassNames takes. */
const longestName = 200;
const mostCharacters = 8 * 2 ** 20;

/** Keys that names stand under, without signs and in small letters; the first that has some counts. */
const namingKeys = [
  'id2label',
  'idx2label',
  'idx2class',
  'idxtoclass',
  'names',
  'classnames',
  'classes',
  'labels',
  'labelnames',
  'classlabels',
  'categories',
  'label2id',
  'classtoidx',
  'class2idx',
];

const plainKey = (key: string): string => key.toLowerCase().replaceAll(/[\s_.:/-]/g, '');
const isBlock = (key: string): boolean => ['config', 'pretrainedcfg', 'modelconfig'].includes(plainKey(key));

/** Names in a file that has nothing else, or in what was pasted. */
export function classNamesInText(text: string): readonly string[] | undefined {
  if (text.length > mostCharacters) return undefined;
  const literal = readLiteral(text);
  return literal === undefined ? namesInLines(text) : namesIn(literal);
}

/** Names in the metadata of a model file: under a key that says so, or in a block of settings. */
export function classNamesInMetadata(metadata: Readonly<Record<string, string>>): readonly string[] | undefined {
  const read = (text: string): unknown => (text.length > mostCharacters ? undefined : (readLiteral(text) ?? text));
  return namesUnderKeys(new Map(Object.entries(metadata).map(([key, text]) => [key, read(text)])));
}

/** Names in settings that were read from JSON. */
export function classNamesIn(settings: unknown): readonly string[] | undefined {
  const entries = entriesOf(settings);
  return entries ? namesUnderKeys(entries) : namesIn(settings);
}

function namesUnderKeys(entries: ReadonlyMap<unknown, unknown>): readonly string[] | undefined {
  const keyed = [...entries].flatMap(([key, value]) => (typeof key === 'string' ? [[key, value] as const] : []));
  for (const wanted of namingKeys) {
    for (const [key, value] of keyed) {
      if (plainKey(key) !== wanted) continue;
      const names = typeof value === 'string' ? namesInLine(value) : namesIn(value);
      if (names) return described(names, keyed);
    }
  }
  for (const [key, value] of keyed) {
    const names = isBlock(key) ? classNamesIn(value) : undefined;
    if (names) return names;
  }
  return undefined;
}

const Texts = z.record(z.string(), z.string());

/** timm gives the synsets of ImageNet as names, and what they mean beside them. */
function described(names: readonly string[], entries: readonly (readonly [string, unknown])[]): readonly string[] {
  const found = entries.find(([key]) => plainKey(key) === 'labeldescriptions')?.[1];
  const texts = Texts.safeParse(found instanceof Map ? Object.fromEntries(found) : found);
  if (!texts.success) return names;
  const meanings = new Map(Object.entries(texts.data));
  return cleaned(names.map((name) => meanings.get(name) ?? name)) ?? names;
}

/** A list of names, or of objects with one, or a dictionary from number to name or from name to number. */
function namesIn(value: unknown): readonly string[] | undefined {
  if (Array.isArray(value)) return cleaned(value.map(nameOfItem));
  const entries = entriesOf(value);
  if (!entries) return undefined;
  const byNumber = new Map<number, unknown>();
  for (const [key, item] of entries) {
    const [number, name] = isNumber(key) ? [key, nameOfItem(item)] : [item, key];
    if (!isNumber(number)) return namesUnderKeys(entries);
    byNumber.set(Number(number), name);
  }
  return cleaned(Array.from({ length: byNumber.size }, (_, i) => byNumber.get(i)));
}

const isNumber = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isInteger(value) && value >= 0
    : typeof value === 'string' && /^\d{1,6}$/.test(value);

function entriesOf(value: unknown): ReadonlyMap<unknown, unknown> | undefined {
  if (value instanceof Map) return value;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : undefined;
}

function nameOfItem(item: unknown): unknown {
  const entries = entriesOf(item);
  if (!entries) return item;
  return ['name', 'label', 'display_name', 'title'].map((key) => entries.get(key)).find((each) => each !== undefined);
}

/** "cat, dog, frog"; or lines in one text. */
function namesInLine(text: string): readonly string[] | undefined {
  if (text.includes('\n')) return namesInLines(text);
  const parts = text.split(text.includes(';') ? ';' : ',');
  return parts.length > 1 ? cleaned(parts) : undefined;
}

/** A name a line, numbered or not: "cat", "0 cat", "0: cat", "0,cat". */
function namesInLines(text: string): readonly string[] | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  if (lines.length < 2 || lines.length > mostNames) return undefined;
  const numbered = lines.map((line) => /^(\d{1,6})(?:\s*[:,;\t]\s*|\s+)(\S.*)$/.exec(line));
  const [first] = numbered;
  const start = Number(first?.[1] ?? 0);
  const areNumbered = start <= 1 && numbered.every((match, i) => match !== null && Number(match[1]) === start + i);
  return cleaned(areNumbered ? numbered.map((match) => match?.[2]) : lines);
}

/** Names without signs that no screen shows, none of them empty; undefined where one is no text, or all say nothing. */
function cleaned(names: readonly unknown[]): readonly string[] | undefined {
  if (names.length < 2 || names.length > mostNames) return undefined;
  const texts = names.map((name) =>
    typeof name === 'string'
      ? name
          .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
          .trim()
          .slice(0, longestName)
      : '',
  );
  if (texts.includes('')) return undefined;
  // LABEL_7 for class 7 is what Hugging Face writes where nobody gave names.
  const saysNothing = texts.every((text, i) => Number(/^(?:label|class)?[ _-]?(\d+)$/i.exec(text)?.[1] ?? -1) === i);
  return saysNothing ? undefined : texts;
}
