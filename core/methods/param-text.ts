import type { ValueShape } from './parameters.ts';

/** How values of parameters are written on a command line, and read back: `parse(format(value))` is the value. */

export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

const no: Parsed = { ok: false };
const yes = (value: unknown): Parsed => ({ ok: true, value });
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The text of a value of this shape. Ranges are not looked at. */
export function formatValue(shape: ValueShape, value: unknown): string {
  if (value === null) return 'none';
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    const read = parseValue(shape, value);
    return shape.kind === 'text' || (read.ok && read.value === value) ? value : JSON.stringify(value);
  }
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items: readonly unknown[] = value;
  // Beside other readings only the brackets say "list".
  if (shape.kind !== 'list') return JSON.stringify(items);
  const texts = items.map((item) => formatValue(shape.item, item));
  const isPlain = texts.every((text) => text !== '' && text.trim() === text && !/[,[{"]/.test(text));
  return isPlain && texts.length > 0 ? texts.join(',') : JSON.stringify(items);
}

/** Reads a text strictly: "0x10", "1,5" or "12 " are no numbers. Ranges are left to the schema. */
export function parseValue(shape: ValueShape, text: string): Parsed {
  switch (shape.kind) {
    case 'boolean':
      return text === 'true' ? yes(true) : text === 'false' ? yes(false) : no;
    case 'none':
      return text === 'none' ? yes(null) : no;
    case 'text':
      return yes(text);
    case 'json':
      return parseJson(text);
    case 'choice': {
      const found = shape.choices.find((choice) => String(choice) === text);
      return found === undefined ? no : yes(found);
    }
    case 'number': {
      const value = decimal.test(text) ? Number(text) : Number.NaN;
      return !Number.isFinite(value) || (shape.whole && !Number.isInteger(value)) ? no : yes(value);
    }
    case 'list':
      return parseList(shape, text);
    case 'either':
      return parseEither(shape.options, text);
  }
}

function parseList(shape: ValueShape & { kind: 'list' }, text: string): Parsed {
  if (text.startsWith('[')) {
    const read = parseJson(text);
    return read.ok && Array.isArray(read.value) ? read : no;
  }
  if (text.trim() === '') return no;
  const items = text.split(',').map((item) => parseValue(shape.item, item.trim()));
  return items.every((item) => item.ok) ? yes(items.map((item) => item.value)) : no;
}

function parseEither(options: readonly ValueShape[], text: string): Parsed {
  const hasText = options.some((option) => option.kind === 'text');
  // A quoted text is the way to write a text that would read as something else.
  if (hasText && text.startsWith('"')) {
    const read = parseJson(text);
    if (read.ok && typeof read.value === 'string') return read;
  }
  const precise = options.filter((option) => option.kind !== 'text');
  for (const option of precise) {
    const read = parseValue(option, text);
    if (read.ok) return read;
  }
  return hasText ? yes(text) : no;
}

function parseJson(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    return yes(value);
  } catch {
    return no;
  }
}
