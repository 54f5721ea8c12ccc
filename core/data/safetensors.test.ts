import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { WorkbenchError, type ErrorCode } from '../base/errors.ts';
import { dtypes, emptyData, float32, int64, sizeOf, tensor, type Tensor } from '../base/tensor.ts';
import { openSafetensors, safetensorsPieces } from './safetensors.ts';
import { temporaryFolder } from './testing/fixtures.ts';

/** A file of this header (an object, or text as it stands) and so many bytes of data. */
function fileOf(header: unknown, dataBytes: number, claimed?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

async function open(t: TestContext, bytes: Uint8Array): ReturnType<typeof openSafetensors> {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  await writeFile(path, bytes);
  const file = await openSafetensors(path);
  t.after(file.close);
  return file;
}

const vector = (begin: number, end: number, dtype = 'F32'): object => ({
  dtype,
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
});

describe('a safetensors file', () => {
  it('gives back what was written, whatever the types, the order and the emptiness', async (t) => {
    const tensors: Record<string, Tensor> = {};
    dtypes.forEach((dtype, i) => {
      const dims = [3, i % 4, 2];
      const data = emptyData(dtype, sizeOf(dims));
      new Uint8Array(data.buffer).forEach((_, at, bytes) => (bytes[at] = (at * 7 + i) % 2));
      tensors[`of/${dtype}`] = tensor(dtype, dims, data);
    });
    const file = await open(t, Buffer.concat(safetensorsPieces(tensors, { made: 'here' })));
    assert.deepEqual(file.metadata, { made: 'here' });
    assert.deepEqual(new Set(file.entries.keys()), new Set(Object.keys(tensors)));
    for (const [name, expected] of Object.entries(tensors)) assert.deepEqual(await file.read(name), expected);
  });

  it('is aligned by its writer, so that reading does not copy', () => {
    const [head] = safetensorsPieces({ a: float32([1], [1]), b: int64([1], [2]) });
    assert.equal((head?.length ?? 1) % 8, 0);
    const text = new TextDecoder().decode(head?.subarray(8));
    assert.match(text, /"b":\{[^}]*\[0,8\]\},"a":\{[^}]*\[8,12\]\}/);
  });

  it('may hold bfloat16, which is read as float32', async (t) => {
    const bytes = fileOf({ a: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } }, 4);
    bytes.set([0x80, 0x3f, 0x20, 0xc0], bytes.length - 4);
    assert.deepEqual(await (await open(t, bytes)).read('a'), float32([2], [1, -2.5]));
  });

  it('names the tensors that it has when another is asked for', async (t) => {
    const file = await open(t, fileOf({ weight: vector(0, 8) }, 8));
    await assert.rejects(file.read('bias'), /no tensor "bias"/);
  });
});

describe('a bad safetensors file', () => {
  const cases: readonly (readonly [string, Uint8Array, RegExp, ErrorCode?])[] = [
    ['is empty', new Uint8Array(0), /is empty/],
    ['ends in its prefix', new Uint8Array(9), /expected 10 bytes and more, got 9/],
    ['claims a header beyond its end', fileOf({}, 0, 3n), /header of 2 to 2 bytes, got 3/],
    ['claims a header of all the memory there is', fileOf({}, 8, 2n ** 63n), /got 9223372036854775808/],
    ['has a header of 17 MB', fileOf(`{"a":"${'x'.repeat(17_000_000)}"}`, 0), /header of 2 to 16,777,216 bytes/],
    ['has metadata that are a list', fileOf({ __metadata__: ['a'] }, 0), /__metadata__/],
    ['claims no header', fileOf({}, 8, 0n), /got 0/],
    ['has a header of something else', fileOf('[1, 2]', 0), /begins with \{/],
    ['has a header that breaks off', fileOf('{"a": [', 0), /header of JSON/],
    ['has a header that is not UTF-8', Buffer.concat([fileOf('{}', 0, 3n), Buffer.of(0xff)]), /header of JSON/],
    ['nests its header deeply', fileOf(`{"a":${'['.repeat(200_000)}`, 0), /header of JSON/],
    ['has a tensor that is no object', fileOf({ a: 3 }, 0), /tensor "a" to have dtype/],
    ['has a negative size', fileOf({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4), /shape: 0/],
    ['has half a size', fileOf({ a: { dtype: 'F32', shape: [0.5], data_offsets: [0, 2] } }, 2), /shape: 0/],
    ['has a rank of 40', fileOf({ a: { dtype: 'F32', shape: Array(40).fill(1), data_offsets: [0, 4] } }, 4), /shape/],
    [
      'has sizes whose product overflows',
      fileOf({ a: { dtype: 'F32', shape: Array(30).fill(2 ** 40), data_offsets: [0, 4] } }, 4),
      /bytes for tensor "a"/,
    ],
    ['has offsets the wrong way round', fileOf({ a: vector(8, 0) }, 8), /a/],
    ['has fewer bytes than the shape', fileOf({ a: { ...vector(0, 8), shape: [3] } }, 8), /expected 12 bytes .* got 8/],
    ['has tensors that overlap', fileOf({ a: vector(0, 8), b: vector(4, 12) }, 12), /"b" to begin at byte 8/],
    ['has tensors in the same place', fileOf({ a: vector(0, 8), b: vector(0, 8) }, 8), /"b" to begin at byte 8/],
    ['has a gap', fileOf({ a: vector(0, 8), b: vector(12, 16) }, 16), /"b" to begin at byte 8 .* got 12/],
    ['has data past its end', fileOf({ a: vector(0, 8) }, 4), /truncated: expected 8 bytes of data, got 4/],
    ['has bytes that belong to no tensor', fileOf({ a: vector(0, 8) }, 9), /longer than its header says/],
    ['has metadata that are not text', fileOf({ __metadata__: { a: 1 } }, 0), /__metadata__/],
    ['has a type that is unknown', fileOf({ a: vector(0, 4, 'F8_E4M3') }, 4), /"F8_E4M3"/, 'DATA_UNSUITABLE'],
    ['has a type named like a property', fileOf({ a: vector(0, 4, 'constructor') }, 4), /"con/, 'DATA_UNSUITABLE'],
    ['has a name that would redraw the screen', fileOf({ '\u001b[2J': 1 }, 0), /"\\u001b\[2J"/],
  ];
  for (const [name, bytes, says, code = 'DATA_UNREADABLE'] of cases) {
    it(`that ${name} is refused`, async (t) => {
      await assert.rejects(open(t, bytes), (error) => {
        assert.ok(error instanceof WorkbenchError && error.code === code, String(error));
        assert.match(error.message, says);
        assert.ok(error.hint);
        return true;
      });
    });
  }

  it('ends in an error of ours or in tensors, whichever byte is changed', async (t) => {
    const path = join(await temporaryFolder(t), 'a.safetensors');
    const sound = Buffer.concat(
      safetensorsPieces({ a: float32([2, 2], [1, 2, 3, 4]), b: int64([1], [5]) }, { k: 'v' }),
    );
    const change = fc.tuple(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length));
    await fc.assert(
      fc.asyncProperty(change, async ([at, value, length]) => {
        const bytes = Uint8Array.from(sound);
        bytes[at] = value;
        await writeFile(path, value % 4 === 0 ? bytes.subarray(0, length) : bytes);
        try {
          const file = await openSafetensors(path);
          for (const key of file.entries.keys()) await file.read(key);
          await file.close();
        } catch (error) {
          assert.ok(error instanceof WorkbenchError && error.code !== 'INTERNAL', String(error));
        }
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
