import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { float32, tensor, type Tensor } from '../base/tensor.ts';
import { readNamedTensors } from './named-tensors.ts';
import { safetensorsPieces } from './safetensors.ts';
import { npzBytes } from './write.ts';

const dir = mkdtempSync(join(tmpdir(), 'palimpsest-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const write = (name: string, bytes: Uint8Array): string => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};

const tensors: Record<string, Tensor> = {
  'fc.weight': float32([2, 3], [1, 2, 3, 4, 5, 6]),
  'fc.bias': tensor('float64', [2], Float64Array.of(0.5, -0.25)),
  // 1, −2, the largest, the smallest, infinity
  halves: tensor('float16', [5], Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00)),
  steps: tensor('int64', [1], BigInt64Array.of(7n)),
};

describe('tensors by name', () => {
  for (const [format, bytes] of [
    ['npz', npzBytes(tensors)],
    ['safetensors', Buffer.concat(safetensorsPieces(tensors))],
  ] as const) {
    it(`come out of .${format} as they went in, half precision as floats`, async () => {
      const read = await readNamedTensors(write(`all.${format}`, bytes));
      assert.deepEqual([...read.tensors.keys()].toSorted(), Object.keys(tensors).toSorted());
      for (const name of ['fc.weight', 'fc.bias', 'steps']) assert.deepEqual(read.tensors.get(name), tensors[name]);
      assert.deepEqual(read.tensors.get('halves'), float32([5], [1, -2, 65504, 2 ** -24, Infinity]));
      assert.deepEqual(read.halves, ['halves']);
      assert.match(read.sha256, /^[0-9a-f]{64}$/);
    });
  }
  it('in bfloat16 come out as floats, and are named as brief', async () => {
    const header = Buffer.from(JSON.stringify({ b: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    // 1.5 and −3
    const file = Buffer.concat([length, header, Buffer.from(Uint16Array.of(0x3fc0, 0xc040).buffer)]);
    const read = await readNamedTensors(write('brief.safetensors', file));
    assert.deepEqual(read.tensors.get('b'), float32([2], [1.5, -3]));
    assert.deepEqual(read.halves, ['b']);
  });
  it('are not looked for in other files, nor in damaged ones', async () => {
    await assert.rejects(readNamedTensors(write('model.pt', Uint8Array.of(1))), { code: 'DATA_UNSUITABLE' });
    await assert.rejects(readNamedTensors(write('cut.npz', npzBytes(tensors).subarray(0, 900))), {
      code: 'DATA_UNREADABLE',
    });
  });
});
