/**
 * JSON, or what Python prints of texts, numbers, lists, tuples and dictionaries (ONNX metadata are often made by `str`).
 * Nothing is evaluated; dictionaries are Maps. undefined for anything else.
 */
export function readLiteral(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.value(0);
  return value !== nothing && reader.isAtEnd() ? value : undefined;
}

const nothing: unique symbol = Symbol('nothing');
const deepest = 8;
const constants: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['null', null],
  ['None', null],
]);
const closing: Readonly<Record<string, string>> = { '[': ']', '(': ')', '{': '}' };
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  value(depth: number): unknown {
    this.#skipSpace();
    const sign = this.#text[this.#at] ?? '';
    if (sign === '"' || sign === "'") return this.#string(sign);
    const close = closing[sign];
    if (close !== undefined) return depth < deepest ? this.#group(close, depth + 1) : nothing;
    return this.#word();
  }

  #skipSpace(): void {
    this.#take(/[\s\uFEFF]*/y);
  }

  /** What the pattern matches here, and moves behind it. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #word(): unknown {
    const number = this.#take(/[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y);
    if (number !== undefined) return Number(number);
    const word = this.#take(/[A-Za-z]+/y);
    return word !== undefined && constants.has(word) ? constants.get(word) : nothing;
  }

  #string(quote: string): unknown {
    const body = this.#take(quote === '"' ? /"(?:[^"\\]|\\[^])*"/y : /'(?:[^'\\]|\\[^])*'/y);
    if (body === undefined) return nothing;
    return body
      .slice(1, -1)
      .replaceAll(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^])/g, (_, escape: string) =>
        escape.length > 1 ? String.fromCharCode(parseInt(escape.slice(1), 16)) : (escapes[escape] ?? escape),
      );
  }

  /** A list or tuple; a dictionary where keys are followed by colons. */
  #group(close: string, depth: number): unknown {
    this.#at += 1;
    const items: unknown[] = [];
    const entries = new Map<unknown, unknown>();
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] === close) break;
      const item = this.value(depth);
      if (item === nothing) return nothing;
      if (close === '}') {
        if (this.#take(/\s*:/y) === undefined) return nothing;
        const value = this.value(depth);
        if (value === nothing) return nothing;
        entries.set(item, value);
      } else items.push(item);
      if (this.#take(/\s*,/y) === undefined) break;
    }
    this.#skipSpace();
    if (this.#text[this.#at] !== close) return nothing;
    this.#at += 1;
    return close === '}' ? entries : items;
  }
}
