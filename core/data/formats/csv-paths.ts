import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { grouped, unreadable, unsuitable } from '../errors.ts';
import { openDataFile, readNames, type Region } from '../files.ts';
import { forEachLine, separatorOf, splitFields, textOf } from './csv-rows.ts';
import { openPictures, splitOf, type Item } from './image-folder.ts';
import { isImageName } from './image-file.ts';
import type { FormatOptions, Part, Source } from './source.ts';

/**
 * Comma-separated text with one picture a line: its path, relative to the table, and its label as a number or a name. The
 * first line names the columns, or there are two, of which one holds paths. A column called split (set, subset) puts
 * pictures into train and test; the pictures are read as those of an image folder.
 */
const pathName = /^(?:(?:image|img|file)[ _-]?(?:path|name|file)|path|file|image|img|images)$/iu;
const labelName = /^(?:(?:class|label|target)s?(?:[ _-]?(?:name|id|index))?|category|y)$/iu;
const splitName = /^(?:split|set|subset|partition|phase)$/iu;
const wholeNumber = /^\d{1,9}$/u;
const headBytes = 2 ** 16;

interface Columns {
  readonly path: number;
  readonly label: number | undefined;
  readonly split: number | undefined;
  /** The first line only names them. */
  readonly areNamed: boolean;
  readonly count: number;
  readonly separator: number;
}

interface Row {
  readonly path: string;
  readonly label: string;
  readonly split: 'train' | 'test' | 'other' | undefined;
}

/** What the columns of a table hold; undefined when they are no paths. */
function columnsOf(line: Uint8Array): Columns | undefined {
  const separator = separatorOf(line);
  const fields: string[] = [];
  try {
    splitFields(line, separator, '', (_, from, to) =>
      fields.push(textOf(line, from, Math.min(to, from + 1024)).trim()),
    );
  } catch {
    // Whoever reads it in earnest says what is wrong with it.
    return undefined;
  }
  const find = (name: RegExp): number | undefined => {
    const at = fields.findIndex((field) => name.test(field));
    return at < 0 ? undefined : at;
  };
  const common = { count: fields.length, separator };
  const path = find(pathName);
  if (path !== undefined && !fields.some((field) => isImageName(field))) {
    const label = find(labelName) ?? (fields.length === 2 ? 1 - path : undefined);
    return { path, label, split: find(splitName), areNamed: true, ...common };
  }
  const first = fields.findIndex((field) => isImageName(field));
  if (first < 0 || fields.length > 2) return undefined;
  return {
    path: first,
    label: fields.length === 2 ? 1 - first : undefined,
    split: undefined,
    areNamed: false,
    ...common,
  };
}

/** The line that says what the columns hold; undefined where it is longer than names are. */
function firstLine(head: Uint8Array): Uint8Array | undefined {
  const start = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  const end = head.indexOf(10, start);
  if (end < 0 && head.length >= headBytes) return undefined;
  const line = head.subarray(start, end < 0 ? undefined : end);
  return line.at(-1) === 13 ? line.subarray(0, -1) : line;
}

/** Does the table say where pictures lie? One that cannot be opened does not. */
export async function isPathTable(path: string): Promise<boolean> {
  // A pipe would block.
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isFile()) return false;
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return false;
  try {
    const head = new Uint8Array(headBytes);
    const { bytesRead } = await handle.read(head, 0, headBytes, 0);
    const line = firstLine(head.subarray(0, bytesRead));
    return line !== undefined && columnsOf(line) !== undefined;
  } finally {
    await handle.close();
  }
}

export async function pathTable(path: string, options: FormatOptions): Promise<Source> {
  const file = await openDataFile(path, options.memoryLimitBytes);
  try {
    const line = firstLine(await file.content.read(0, Math.min(headBytes, file.content.length)));
    const columns = line && columnsOf(line);
    if (!columns)
      throw unreadable(`${file.name} does not say where its pictures lie`, 'Name the column of paths "path".');
    const rows = await readRows(file.content, file.name, columns);
    const folder = dirname(path);
    const labels = numberLabels(file.name, columns, rows, await readNames(join(folder, 'labels.txt')));
    const items = rows.map((row, i): Item => ({ key: row.path, path: join(folder, row.path), label: labels.of(i) }));
    const digest = `${file.name} ${file.sha256}`;
    const opener = (chosen: readonly Item[]) => async (): Promise<readonly Part[]> => {
      const part = await openPictures(file.name, chosen, options);
      return [{ ...part, digests: [...part.digests, digest] }];
    };
    const inSplit = (split: Row['split']): Item[] => items.filter((_, i) => rows[i]?.split === split);
    const [train, test, other] = [inSplit('train'), inSplit('test'), inSplit('other')];
    const tested = test.length > 0 ? test : other;
    const splits =
      columns.split === undefined
        ? { only: opener(items) }
        : {
            train: train.length > 0 ? opener(train) : undefined,
            test: tested.length > 0 ? opener(tested) : undefined,
          };
    return { format: 'csv', beside: items.map((item) => item.path), labelNames: labels.names, splits };
  } finally {
    await file.close();
  }
}

async function readRows(content: Region, name: string, columns: Columns): Promise<Row[]> {
  const rows: Row[] = [];
  let isFirst = true;
  await forEachLine(content, name, (line, lineNumber) => {
    const isHead = isFirst && columns.areNamed;
    isFirst = false;
    if (!isHead) rows.push(readRow(line, `${name}: line ${grouped(lineNumber)}`, columns));
  });
  if (rows.length > 0) return rows;
  throw unreadable(`${name} holds no images, only names of columns or nothing`, 'Get the file again.');
}

function readRow(line: Uint8Array, where: string, columns: Columns): Row {
  const fields: string[] = [];
  const count = splitFields(line, columns.separator, where, (_, from, to) =>
    fields.push(textOf(line, from, to).trim()),
  );
  if (count !== columns.count) {
    throw unreadable(
      `${where} has ${grouped(count)} columns, expected ${grouped(columns.count)} as in the first line`,
      'Each line holds one image; the file may be cut off or damaged.',
    );
  }
  const path = (fields[columns.path] ?? '').replaceAll('\\', '/').replace(/^\.\//u, '');
  const isInside = path !== '' && !path.startsWith('/') && !/^[a-z]:/iu.test(path) && !path.split('/').includes('..');
  if (!isInside || /\p{Cc}/u.test(path)) {
    throw unsuitable(
      `${where}: the path is "${path}", expected one below the folder of the table`,
      'Put the table into the folder that holds the images, with paths that begin there.',
    );
  }
  const named = columns.split === undefined ? undefined : (fields[columns.split] ?? '');
  const split = named === undefined ? undefined : splitOf(named);
  if (named !== undefined && split === undefined) {
    throw unsuitable(
      `${where}: the split is "${named}", expected train, val or test`,
      'Correct it, or remove the column.',
    );
  }
  const label = columns.label === undefined ? '' : (fields[columns.label] ?? '');
  if (columns.label !== undefined && label === '')
    throw unreadable(`${where} has no label`, 'Add it, or remove the line.');
  return { path, label, split };
}

interface Labels {
  readonly names: readonly string[] | undefined;
  of(row: number): number | undefined;
}

/** Whole numbers are what they say; names are numbered as in labels.txt, else in their order, as folders of classes are. */
function numberLabels(
  table: string,
  columns: Columns,
  rows: readonly Row[],
  given: readonly string[] | undefined,
): Labels {
  if (columns.label === undefined) return { names: undefined, of: () => undefined };
  if (rows.every(({ label }) => wholeNumber.test(label))) {
    return { names: given, of: (row) => Number(rows[row]?.label) };
  }
  const found = [...new Set(rows.map(({ label }) => label))].toSorted();
  const names = given ?? found;
  const unknown = found.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw unsuitable(
      `${table}: the label "${unknown}" is not among the ${names.length} names of labels.txt`,
      'Correct it, or remove labels.txt.',
    );
  }
  const numbers = new Map(names.map((name, number) => [name, number]));
  return { names, of: (row) => numbers.get(rows[row]?.label ?? '') };
}
