import { basename, dirname, join } from 'node:path';
import { grouped, unreadable, unsuitable } from '../errors.ts';
import { memoryRegion, openDataFile, readNames } from '../files.ts';
import { type ItemShape, rawBlock } from '../pixels.ts';
import { forEachLine, notANumber, numberAt, separatorOf, splitFields, textOf } from './csv-rows.ts';
import { CsvPixels } from './csv-pixels.ts';
import type { FormatOptions, Part, Source } from './source.ts';

/**
 * Comma-separated text with one image a line: its label and its pixels, 0 to 255 or 0 to 1, row by row. Images of three
 * channels stand plane after plane as in CIFAR. The first line may name the columns; the label is the column called
 * `label`, or else the first, or the last where only that can be.
 */
const trainName = /(?:^|[^a-z])train(?:ing)?(?![a-z])/iu;
const testName = /(?:^|[^a-z])(?:test|val|valid|validation)(?![a-z])/iu;
const labelName = /^(?:labels?|class|target|y)$/iu;
const largestLabel = 2 ** 31 - 1;

export const isCsvName = (name: string): boolean => /\.(?:csv|tsv)$/iu.test(name);

/** Where the label may stand: one column, the first and the last, or nowhere. */
interface Layout {
  readonly columns: number;
  readonly shape: ItemShape;
  readonly labelColumns: readonly number[];
}

class CsvTable {
  readonly #name: string;
  readonly #resizeTo: FormatOptions['resizeTo'];
  #separator: number | undefined;
  /** Of the line that names the columns: where the label stands there. */
  #named: number | undefined;
  #layout: Layout | undefined;
  #pixels: CsvPixels | undefined;
  /** Values of the columns that may be the label. */
  readonly #edges = new Map<number, number[]>();

  constructor(name: string, resizeTo: FormatOptions['resizeTo']) {
    this.#name = name;
    this.#resizeTo = resizeTo;
  }

  line(line: Uint8Array, lineNumber: number): void {
    const where = `${this.#name}: line ${grouped(lineNumber)}`;
    if (this.#separator === undefined) {
      this.#separator = separatorOf(line);
      if (this.#isHeader(line, where)) return;
    }
    const { columns } = (this.#layout ??= this.#layoutOf(line, where));
    const pixels = (this.#pixels ??= new CsvPixels(this.#name));
    const count = splitFields(line, this.#separator, where, (column, from, to) => {
      const value = numberAt(line, from, to);
      if (Number.isNaN(value)) notANumber(line, from, to, `${where}, column ${grouped(column + 1)}`);
      const edge = this.#edges.get(column);
      if (edge) edge.push(value);
      else if (!pixels.push(value)) this.#badPixel(value, `${where}, column ${grouped(column + 1)}`);
    });
    if (count === columns) return;
    throw unreadable(
      `${where} has ${grouped(count)} columns, expected ${grouped(columns)} as in the lines before`,
      'Each line holds one image; the file may be cut off or damaged.',
    );
  }

  /** Names of columns, not the first image: no field is a number, or one is called like a label. */
  #isHeader(line: Uint8Array, where: string): boolean {
    const labels: number[] = [];
    let numbers = 0;
    splitFields(line, this.#separator ?? 0, where, (column, from, to) => {
      if (!Number.isNaN(numberAt(line, from, to))) numbers++;
      else if (labelName.test(textOf(line, from, Math.min(to, from + 16)).trim())) labels.push(column);
    });
    if (labels.length > 1) {
      const list = labels.map((column) => grouped(column + 1)).join(', ');
      throw unsuitable(`${where} calls columns ${list} labels, expected one`, 'Keep one column of labels.');
    }
    [this.#named] = labels;
    return labels.length === 1 || numbers === 0;
  }

  #layoutOf(line: Uint8Array, where: string): Layout {
    const columns = splitFields(line, this.#separator ?? 0, where, () => undefined);
    const labelled = this.#shapeOf(columns - 1);
    const shape = labelled ?? (this.#named === undefined ? this.#shapeOf(columns) : undefined);
    if (!shape) {
      throw unsuitable(
        `${where} has ${grouped(columns)} columns, expected a label and the pixels of a square image of 1 or 3 channels`,
        'Save images that are not square as .npy, with their shape.',
      );
    }
    const labelColumns = labelled ? (this.#named === undefined ? [0, columns - 1] : [this.#named]) : [];
    for (const column of labelColumns) this.#edges.set(column, []);
    return { columns, shape, labelColumns };
  }

  /** Of the model's size where that fits, else square. */
  #shapeOf(pixels: number): ItemShape | undefined {
    const side = (channels: number): number => Math.sqrt(pixels / channels);
    const sizes = [...(this.#resizeTo ? [this.#resizeTo] : []), [side(1), side(1)], [side(3), side(3)]] as const;
    for (const [height, width] of sizes) {
      // One pixel is no image: two columns are some other table.
      if (!Number.isInteger(height) || height * width < 4) continue;
      for (const channels of [1, 3]) if (channels * height * width === pixels) return [channels, height, width];
    }
    return undefined;
  }

  #badPixel(value: number, where: string): never {
    throw unsuitable(
      `${where}: the pixel is ${value}, expected 0 to 255 or 0 to 1`,
      'Store pixels as they are in the image; mean and deviation belong to the model.',
    );
  }

  /** What has been read, once all lines have. */
  finish(): Pick<Part, 'block' | 'labels'> {
    const [layout, pixels] = [this.#layout, this.#pixels];
    if (!layout || !pixels) {
      throw unreadable(`${this.#name} holds no images, only names of columns or nothing`, 'Get the file again.');
    }
    const column = this.#labelColumn(layout.labelColumns);
    const labels = column === undefined ? undefined : this.#labels(this.#edges.get(column) ?? []);
    const other = layout.labelColumns.find((one) => one !== column);
    const edge = other === undefined ? undefined : { isFirst: other === 0, values: this.#edges.get(other) ?? [] };
    edge?.values.forEach((value, item) => {
      if (!pixels.accepts(value)) this.#badPixel(value, `${this.#name}: item ${grouped(item)}`);
    });
    const size = layout.shape[0] * layout.shape[1] * layout.shape[2];
    const { bytes, kind, count } = pixels.finish(size, edge);
    const raw = { kind, count, shape: layout.shape, channelsLast: false, skip: 0 };
    return { block: rawBlock(memoryRegion(bytes), raw, async () => {}), labels };
  }

  #labelColumn(candidates: readonly number[]): number | undefined {
    const [first, last] = candidates;
    if (first === undefined || last === undefined) return first;
    const isLabels = (column: number): boolean => (this.#edges.get(column) ?? []).every(isLabel);
    if (!isLabels(first)) return isLabels(last) ? last : first;
    const isConstant = (column: number): boolean => new Set(this.#edges.get(column)).size === 1;
    if (isLabels(last) && isConstant(first) && !isConstant(last)) {
      throw unsuitable(
        `${this.#name}: the first and the last column may both be the label; the first is ${this.#edges.get(first)?.[0] ?? 0} in each line`,
        'Put a line with the names of the columns in front, the label called "label".',
      );
    }
    return first;
  }

  #labels(values: readonly number[]): Int32Array<ArrayBuffer> {
    const bad = values.findIndex((value) => !isLabel(value));
    if (bad < 0) return Int32Array.from(values);
    throw unreadable(
      `${this.#name}: label of item ${grouped(bad)} is ${values[bad] ?? 0}, expected a whole number from 0`,
      'Number the classes from 0; their names go into labels.txt.',
    );
  }
}

const isLabel = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= largestLabel;

async function openPart(path: string, options: FormatOptions): Promise<Part> {
  const file = await openDataFile(path, options.memoryLimitBytes);
  try {
    const table = new CsvTable(file.name, options.resizeTo);
    await forEachLine(file.content, file.name, (line, lineNumber) => table.line(line, lineNumber));
    return { title: file.name, ...table.finish(), digests: [`${file.name} ${file.sha256}`] };
  } finally {
    await file.close();
  }
}

/** One file named directly. */
export async function csvFile(path: string, options: FormatOptions): Promise<Source> {
  return {
    format: 'csv',
    labelNames: await readNames(join(dirname(path), 'labels.txt')),
    splits: { only: async () => [await openPart(path, options)] },
  };
}

/** A folder with one such file, or with one for training and one for testing, as their names say. */
export async function findCsvFolder(
  folder: string,
  names: readonly string[],
  options: FormatOptions,
): Promise<Source | undefined> {
  const files = names.filter(isCsvName);
  const [first] = files;
  if (first === undefined) return undefined;
  if (files.length === 1 && !trainName.test(first) && !testName.test(first))
    return csvFile(join(folder, first), options);
  const train = files.filter((name) => trainName.test(name));
  const test = files.filter((name) => testName.test(name));
  if (train.length > 1 || test.length > 1 || train.length + test.length === 0) {
    throw unsuitable(
      `Folder ${folder} holds ${files.length} tables (${files
        .map((name) => basename(name))
        .slice(0, 5)
        .join(', ')}), expected one, or train.csv and test.csv`,
      'Name the file itself.',
    );
  }
  const opener = ([name]: readonly string[]) =>
    name === undefined ? undefined : async () => [await openPart(join(folder, name), options)];
  return {
    format: 'csv',
    labelNames: await readNames(join(folder, 'labels.txt')),
    splits: { train: opener(train), test: opener(test) },
  };
}
