import assert from 'node:assert/strict';
import { it } from 'node:test';
import { linesOf } from './lines.ts';

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function read(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(stream(chunks))) lines.push(line);
  return lines;
}

it('puts lines together that arrive in pieces, in the middle of a letter too', async () => {
  const bytes = new TextEncoder().encode('{"a":"ä"}\n\n{"b":1}\n');
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(await read([bytes.subarray(0, cut), bytes.subarray(cut)]), ['{"a":"ä"}', '{"b":1}']);
  }
});

it('gives a last line that does not end', async () => {
  assert.deepEqual(await read([new TextEncoder().encode('x\ny')]), ['x', 'y']);
});
