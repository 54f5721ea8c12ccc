import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requests, type RequestName, type RequestResult } from '../../core/contract/bridge.ts';
import { sendFiles } from './transfer.ts';

const answers: Partial<Record<RequestName, unknown>> = {
  'uploads.begin': { uploadId: 'u', chunkBytes: 4 },
  'uploads.finish': { path: '/there/a.onnx', sha256: '0'.repeat(64), isDuplicate: false },
  'uploads.abort': {},
};

/** Sends 10 bytes; `onPiece` is called when a piece has arrived, with how many did. */
async function send(asked: string[], onPiece: (pieces: number) => void, signal?: AbortSignal): Promise<unknown> {
  let pieces = 0;
  return sendFiles(
    {
      async request<K extends RequestName>(name: K): Promise<RequestResult<K>> {
        asked.push(name);
        return requests[name].out.parse(answers[name]) as RequestResult<K>;
      },
    },
    async (_id, _file, offset, bytes) => {
      asked.push(`${offset}+${bytes.byteLength}`);
      onPiece(++pieces);
    },
    { kind: 'model', files: [{ path: 'a.onnx', file: new Blob([new Uint8Array(10)]) }], ...(signal ? { signal } : {}) },
  );
}

describe('an upload', () => {
  it('is sent in pieces and finished', async () => {
    const asked: string[] = [];
    await send(asked, () => undefined);
    assert.deepEqual(asked, ['uploads.begin', '0+4', '4+4', '8+2', 'uploads.finish']);
  });

  for (const last of [1, 3]) {
    it(`that is cancelled during piece ${last} of 3 gives its place back and is not finished`, async () => {
      const asked: string[] = [];
      const controller = new AbortController();
      const cancel = (pieces: number): void => {
        if (pieces === last) controller.abort();
      };
      await assert.rejects(send(asked, cancel, controller.signal), { code: 'CANCELLED' });
      assert.deepEqual(asked.slice(last + 1), ['uploads.abort']);
    });
  }
});
