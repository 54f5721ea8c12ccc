/** Where a verb writes. Standard output carries results, standard error everything else. */
export interface Terminal {
  /** To standard output, as it stands. */
  write(text: string): void;
  /** To standard error, as it stands. */
  note(text: string): void;
  /** Standard error is a terminal that can redraw a line. */
  readonly isLive: boolean;
  readonly columns: number;
  /** Of standard error and standard output: escape codes are welcome. */
  readonly hasColour: boolean;
}

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
};

export function paint(terminal: Pick<Terminal, 'hasColour'>, style: Style, text: string): string {
  if (!terminal.hasColour) return text;
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** The streams of this process. NO_COLOR (any non-empty value) and TERM=dumb switch colour off. */
export function processTerminal(
  env: NodeJS.ProcessEnv = process.env,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Terminal {
  const isDumb = env['TERM'] === 'dumb';
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || isDumb;
  return {
    write: (text) => void out.write(text),
    note: (text) => void err.write(text),
    isLive: err.isTTY && !isDumb,
    get columns() {
      return err.columns || out.columns || 80;
    },
    hasColour: out.isTTY && err.isTTY && !isPlain,
  };
}

/** The same terminal for people who want no escape codes for colour. */
export const withoutColour = (terminal: Terminal): Terminal => ({
  write: (text) => terminal.write(text),
  note: (text) => terminal.note(text),
  isLive: terminal.isLive,
  get columns() {
    return terminal.columns;
  },
  hasColour: false,
});

/** Breaks text at spaces into lines of at most `width` characters; longer words stand alone. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** Rows in columns, two spaces between; `right` names the columns that are aligned at their right end. */
export function columnsOf(rows: readonly (readonly string[])[], right: readonly number[] = []): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
