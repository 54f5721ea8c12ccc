import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WorkbenchError, type ErrorCode } from '../base/errors.ts';
import { float32, int64, tensor } from '../base/tensor.ts';
import { openDataset, type OpenOptions } from './dataset.ts';
import { dataRef, idxBytes, idxImages, npy, temporaryFolder, text, writeFiles } from './testing/fixtures.ts';
import { npyBytes, npzBytes } from './write.ts';

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** Opened instead of the folder. */
  readonly path?: string;
  readonly split?: 'train' | 'test';
  readonly options?: OpenOptions;
  readonly code: ErrorCode;
  readonly says: RegExp;
}

const images = 'train-images-idx3-ubyte';
const labels = 'train-labels-idx1-ubyte';
const bytes = (dims: number[]) => tensor('uint8', dims, new Uint8Array(dims.reduce((a, b) => a * b, 1)));
/** Overwrites a 32-bit field at `offset` from the first place where the signature stands. */
function patched(archive: Uint8Array, signature: number, offset: number, value: number): Uint8Array {
  const copy = Uint8Array.from(archive);
  const view = new DataView(copy.buffer);
  let at = 0;
  while (view.getUint32(at, true) !== signature) at++;
  view.setUint32(at + offset, value, true);
  return copy;
}

const directoryEntry = 0x02014b50;
const archive = npzBytes({ images: bytes([2, 4, 4]), labels: bytes([2]) });
/** The same archive with its first member claimed to be deflated. */
const claimedDeflated = patched(archive, directoryEntry, 10, 8);

const cases: readonly Case[] = [
  { name: 'an empty folder', files: {}, code: 'DATA_UNSUITABLE', says: /an empty folder/ },
  { name: 'a folder of something else', files: { 'a.xml': '<a/>' }, code: 'DATA_UNSUITABLE', says: /got a\.xml/ },
  {
    name: 'a path where nothing is',
    files: {},
    path: 'missing',
    code: 'DATA_UNREADABLE',
    says: /missing cannot be opened/,
  },
  { name: 'an empty file', files: { [images]: '' }, path: images, code: 'DATA_UNREADABLE', says: /is empty/ },
  {
    name: 'a file of an unknown kind',
    files: { 'a.txt': 'hello' },
    path: 'a.txt',
    code: 'DATA_UNSUITABLE',
    says: /no format that can be read/,
  },
  {
    name: 'a split that is not there',
    files: { [images]: idxImages(2) },
    split: 'test',
    code: 'DATA_UNSUITABLE',
    says: /has no test images/,
  },

  {
    name: 'IDX that is truncated',
    files: { [images]: idxImages(3).subarray(0, 30) },
    code: 'DATA_UNREADABLE',
    says: /is truncated: expected 34 bytes .* got 30/,
  },
  {
    name: 'IDX cut within its header',
    files: { [images]: idxImages(3).subarray(0, 9) },
    code: 'DATA_UNREADABLE',
    says: /header of 16 bytes, got 9/,
  },
  {
    name: 'IDX that is longer than it says',
    files: { [images]: Buffer.concat([idxImages(3), text('x')]) },
    code: 'DATA_UNREADABLE',
    says: /longer than its header says/,
  },
  {
    name: 'IDX with a wrong magic number',
    files: { [images]: text('\u0001\u0002 not idx at all') },
    code: 'DATA_UNREADABLE',
    says: /begin with 00 00 08 03, got 01 02/,
  },
  {
    name: 'IDX whose header claims 16 exabytes',
    files: { [images]: idxBytes([0xffffffff, 0xffff, 0xffff], [1, 2, 3]) },
    code: 'DATA_UNREADABLE',
    says: /is truncated/,
  },
  {
    name: 'IDX of floating-point numbers',
    files: { [images]: idxBytes([1, 1, 4], [1, 2, 3, 4], 0x0d) },
    code: 'DATA_UNSUITABLE',
    says: /0x08 \(unsigned bytes\), got 0x0d/,
  },
  {
    name: 'IDX labels in the place of images',
    files: { [images]: idxBytes([3], [1, 2, 3]) },
    code: 'DATA_UNSUITABLE',
    says: /images with 3 dimensions, got 1/,
  },
  {
    name: 'IDX without images',
    files: { [images]: idxBytes([0, 28, 28], []) },
    code: 'DATA_UNREADABLE',
    says: /holds nothing/,
  },
  {
    name: 'fewer labels than images',
    files: { [images]: idxImages(3), [labels]: idxBytes([2], [0, 1]) },
    code: 'DATA_UNREADABLE',
    says: /holds 2 labels, expected 3/,
  },
  {
    name: 'a label beyond the classes of the model',
    files: { [images]: idxImages(2), [labels]: idxBytes([2], [3, 10]) },
    options: { classCount: 10 },
    code: 'DATA_UNSUITABLE',
    says: /label of item 1 is 10, expected 0 to 9 for 10 classes/,
  },
  {
    name: 'a label beyond the label names',
    files: { [images]: idxImages(2), [labels]: idxBytes([2], [0, 2]), 'labels.txt': 'a\nb\n' },
    code: 'DATA_UNSUITABLE',
    says: /label of item 1 is 2, .* 2 label names/,
  },
  {
    name: 'splits of different shapes',
    files: { [images]: idxImages(2), 't10k-images-idx3-ubyte': idxBytes([1, 3, 3], new Uint8Array(9)) },
    code: 'DATA_UNSUITABLE',
    says: /1 × 3 × 3 .*expected 1 × 2 × 3/,
  },
  {
    name: 'two IDX sets in one folder',
    files: { [`a-${images}`]: idxImages(2), [`b-${images}`]: idxImages(2) },
    code: 'DATA_UNSUITABLE',
    says: /several IDX data sets.*"a-", "b-"/,
  },

  {
    name: 'gzip that is damaged',
    files: { [`${images}.gz`]: Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8) },
    code: 'DATA_UNREADABLE',
    says: /not a sound gzip file/,
  },
  {
    name: 'gzip that is truncated',
    files: { [`${images}.gz`]: gzipSync(idxImages(40)).subarray(0, -12) },
    code: 'DATA_UNREADABLE',
    says: /not a sound gzip file/,
  },
  {
    name: 'gzip that unpacks to more than its header says',
    files: { [`${images}.gz`]: gzipSync(Buffer.concat([idxImages(2), new Uint8Array(50_000)])) },
    code: 'DATA_UNREADABLE',
    says: /longer than its header says/,
  },
  {
    name: 'gzip that unpacks to less than its header says',
    files: { [`${images}.gz`]: gzipSync(idxBytes([50, 2, 3], [1, 2])) },
    code: 'DATA_UNREADABLE',
    says: /is truncated: expected 316 bytes from its header, got 18/,
  },
  {
    name: 'gzip that claims more than deflate can hold',
    files: { [`${images}.gz`]: gzipSync(idxBytes([60_000, 2000, 2000], [1])) },
    code: 'DATA_UNREADABLE',
    says: /claims to unpack to 240,000,000,016 bytes/,
  },

  {
    name: 'npy without its magic',
    files: { 'images.npy': text('not numpy, really') },
    code: 'DATA_UNREADABLE',
    says: /is not a NumPy array/,
  },
  {
    name: 'npy of Python objects',
    files: {
      'images.npy': npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", text('\u0080\u0004pickle')),
    },
    code: 'DATA_UNSUITABLE',
    says: /holds Python objects .* pickle/,
  },
  {
    name: 'npy of records',
    files: { 'images.npy': npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }") },
    code: 'DATA_UNSUITABLE',
    says: /holds records/,
  },
  {
    name: 'npy that claims more than it has',
    files: {
      'images.npy': npy("{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 9000, 9000), }", new Uint8Array(8)),
    },
    code: 'DATA_UNREADABLE',
    says: /expected 4,860,000,000,000 bytes .* got 8/,
  },
  {
    name: 'npy with an overflowing shape',
    files: { 'images.npy': npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 99999999999, 9), }") },
    code: 'DATA_UNREADABLE',
    says: /shape of sensible size/,
  },
  {
    name: 'npy with a twenty thousand sizes',
    files: {
      'images.npy': npy(
        `{'descr': '|u1', 'fortran_order': False, 'shape': (${'1, '.repeat(20_000)}), }`,
        new Uint8Array(1),
      ),
    },
    code: 'DATA_UNREADABLE',
    says: /at most 64 sizes, got 20,000/,
  },
  {
    name: 'npy whose header is longer than the file',
    files: { 'images.npy': Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 200, 200) },
    code: 'DATA_UNREADABLE',
    says: /is truncated/,
  },
  {
    name: 'npy in Fortran order',
    files: { 'images.npy': npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 2), }", new Uint8Array(4)) },
    code: 'DATA_UNSUITABLE',
    says: /Fortran order/,
  },
  {
    name: 'npy in big-endian order',
    files: { 'images.npy': npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 1, 1), }", new Uint8Array(4)) },
    code: 'DATA_UNSUITABLE',
    says: /big-endian/,
  },
  {
    name: 'npy of whole numbers that are not bytes',
    files: { 'images.npy': npyBytes(int64([1, 1, 2], [0, 1])) },
    code: 'DATA_UNSUITABLE',
    says: /got dtype <i8/,
  },
  {
    name: 'npy of flat images',
    files: { 'images.npy': npyBytes(bytes([3, 784])) },
    code: 'DATA_UNSUITABLE',
    says: /got \[3, 784\]/,
  },
  {
    name: 'a NaN pixel',
    files: { 'images.npy': npyBytes(float32([2, 1, 2], [0, 1, 0.5, Number.NaN])) },
    code: 'DATA_UNREADABLE',
    says: /pixel 1 of item 1 is NaN/,
  },
  {
    name: 'a NaN pixel in a file read from disk',
    files: { 'images.npy': npyBytes(float32([2, 1, 2], [0, 1, 0.5, Number.NaN])) },
    options: { memoryLimitBytes: 8 },
    code: 'DATA_UNREADABLE',
    says: /pixel 1 of item 1 is NaN/,
  },
  {
    name: 'pixels on another scale',
    files: { 'images.npy': npyBytes(float32([1, 1, 2], [0, 255])) },
    code: 'DATA_UNSUITABLE',
    says: /is 255, expected floating-point pixels in \[0, 1\]/,
  },
  {
    name: 'negative labels',
    files: { 'images.npy': npyBytes(bytes([2, 1, 1])), 'labels.npy': npyBytes(int64([2], [0, -1])) },
    code: 'DATA_UNREADABLE',
    says: /label of item 1 is -1/,
  },
  {
    name: 'one-hot labels',
    files: { 'images.npy': npyBytes(bytes([2, 1, 1])), 'labels.npy': npyBytes(bytes([2, 10])) },
    code: 'DATA_UNSUITABLE',
    says: /got \[2, 10\]/,
  },
  {
    name: 'labels of another count',
    files: { 'images.npy': npyBytes(bytes([2, 1, 1])), 'labels.npy': npyBytes(bytes([3])) },
    code: 'DATA_UNREADABLE',
    says: /holds 3 labels, expected 2/,
  },

  {
    name: 'npz without known names',
    files: { 'a.npz': npzBytes({ weights: bytes([2]), bias: bytes([2]) }) },
    code: 'DATA_UNSUITABLE',
    says: /got bias, weights/,
  },
  {
    name: 'npz with names that would redraw the screen',
    files: { 'a.npz': npzBytes({ ['\u001b[2J\u202e']: bytes([2]) }) },
    code: 'DATA_UNSUITABLE',
    says: /got \\u001b\[2J\\u202e/,
  },
  {
    name: 'npz that is no archive',
    files: { 'a.npz': 'PK but no more than that' },
    code: 'DATA_UNREADABLE',
    says: /not a ZIP archive/,
  },
  {
    name: 'npz that is truncated',
    files: { 'a.npz': archive.subarray(0, archive.length - 30) },
    code: 'DATA_UNREADABLE',
    says: /truncated/,
  },
  {
    name: 'npz that claims a zip bomb',
    files: { 'a.npz': patched(claimedDeflated, directoryEntry, 24, 0x7fffffff) },
    code: 'DATA_UNREADABLE',
    says: /claims to unpack to 2,147,483,647 bytes/,
  },
  {
    name: 'npz with a damaged deflate stream',
    files: { 'a.npz': claimedDeflated },
    code: 'DATA_UNREADABLE',
    says: /"images\.npy" is damaged|unpacks to/,
  },
  {
    name: 'npz with a wrong checksum',
    files: { 'a.npz': patched(archive, directoryEntry, 16, 12345) },
    code: 'DATA_UNREADABLE',
    says: /checksum/,
  },
  {
    name: 'npz whose member lies outside',
    files: { 'a.npz': patched(archive, directoryEntry, 42, 0x7fffffff) },
    code: 'DATA_UNREADABLE',
    says: /lies outside the archive/,
  },
  {
    name: 'npz that is encrypted',
    files: { 'a.npz': patched(archive, directoryEntry, 8, 1 + (0 << 16)) },
    code: 'DATA_UNSUITABLE',
    says: /is encrypted/,
  },

  {
    name: 'CIFAR that is truncated',
    files: { 'data_batch_1.bin': new Uint8Array(5000) },
    code: 'DATA_UNREADABLE',
    says: /multiple of 3,073 bytes, got 5,000/,
  },
  {
    name: 'CIFAR with a label beyond its classes',
    files: { 'test_batch.bin': new Uint8Array(3073).fill(200) },
    code: 'DATA_UNREADABLE',
    says: /label of item 0 is 200, expected 0 to 9/,
  },
  { name: 'CIFAR as pickles', files: { data_batch_1: 'x' }, code: 'DATA_UNSUITABLE', says: /Python version of CIFAR/ },
];

describe('opening', () => {
  for (const one of cases) {
    it(`${one.name} is refused with ${one.code} and a hint`, async (t) => {
      const folder = await temporaryFolder(t);
      await writeFiles(folder, one.files);
      const ref = dataRef(one.path === undefined ? folder : join(folder, one.path), { split: one.split ?? 'all' });
      await assert.rejects(openDataset(ref, one.options), (error) => {
        assert.ok(error instanceof WorkbenchError, String(error));
        assert.match(error.message, one.says);
        assert.equal(error.code, one.code);
        assert.ok(error.hint);
        return true;
      });
    });
  }

  it('a pipe is refused and not waited for', async (t) => {
    const folder = await temporaryFolder(t);
    execFileSync('mkfifo', [join(folder, images)]);
    for (const path of [folder, join(folder, images)]) {
      await assert.rejects(openDataset(dataRef(path, { format: 'idx' })), {
        message: /expected a regular file, got a device or pipe/,
      });
    }
  });

  it('a folder where a file is expected is refused', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, images));
    await assert.rejects(openDataset(dataRef(folder)), {
      code: 'DATA_UNREADABLE',
      message: /expected a regular file, got a folder/,
    });
  });
});
