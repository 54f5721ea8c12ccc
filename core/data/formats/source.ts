import type { PixelBlock } from '../pixels.ts';

/** A part of a data set: one file or one folder of a split. */
export interface Part {
  readonly title: string;
  readonly block: PixelBlock;
  readonly labels: Int32Array<ArrayBuffer> | undefined;
  /** Lines that enter the fingerprint: a role or relative path, then a SHA-256. */
  readonly digests: readonly string[];
}

/** Files recognised as a data set; opening a split reads them. */
export interface Source {
  readonly format: 'idx' | 'image-folder' | 'npz' | 'npy' | 'cifar' | 'csv';
  readonly labelNames: readonly string[] | undefined;
  /** Of a file that was named itself: the files that its labels or pictures stand in. */
  readonly beside?: readonly string[] | undefined;
  /** Which splits the files name. `only`: the files say nothing about splits and serve for any. */
  readonly splits: {
    readonly train?: (() => Promise<readonly Part[]>) | undefined;
    readonly test?: (() => Promise<readonly Part[]>) | undefined;
    readonly only?: (() => Promise<readonly Part[]>) | undefined;
  };
}

export interface FormatOptions {
  readonly memoryLimitBytes: number;
  /** [height, width] of the model: image folders are scaled to it, the rows of .csv files are taken to be of it. */
  readonly resizeTo: readonly [number, number] | undefined;
}
