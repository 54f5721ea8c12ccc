import { WorkbenchError } from '../../core/base/errors.ts';
import { Answer, type Bridge, type RequestResult, type UploadRequest } from '../../core/contract/bridge.ts';

/** What an answer holds. @throws the error that it holds instead, or INTERNAL when it is none */
export function resultOf(answer: unknown): unknown {
  const parsed = Answer.safeParse(answer);
  if (!parsed.success) throw new WorkbenchError('INTERNAL', 'The workbench answered with something else than a result');
  if (parsed.data.ok) return parsed.data.result;
  throw WorkbenchError.fromShape(parsed.data.error);
}

/** Sends one piece of a file; resolves when it has arrived. */
export type Append = (uploadId: string, file: number, offset: number, bytes: ArrayBuffer) => Promise<unknown>;

/** Sends files piece by piece, whatever carries the pieces. */
export async function sendFiles(
  bridge: Pick<Bridge, 'request'>,
  append: Append,
  { kind, files, onProgress, signal }: UploadRequest,
): Promise<RequestResult<'uploads.finish'>> {
  const entries = files.map(({ path, file }) => ({ path, sizeBytes: file.size }));
  const { uploadId, chunkBytes } = await bridge.request('uploads.begin', { kind, files: entries });
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  let sent = 0;
  try {
    for (const [index, { file }] of files.entries()) {
      for (let offset = 0; offset < file.size; offset += chunkBytes) {
        checkGoingOn(signal);
        const bytes = await file.slice(offset, Math.min(file.size, offset + chunkBytes)).arrayBuffer();
        await append(uploadId, index, offset, bytes);
        sent += bytes.byteLength;
        onProgress?.(sent, total);
      }
    }
    checkGoingOn(signal);
    return await bridge.request('uploads.finish', { uploadId });
  } catch (thrown) {
    // The first failure is what the user has to read; the host sweeps unfinished uploads anyway.
    await bridge.request('uploads.abort', { uploadId }).catch(() => undefined);
    throw thrown;
  }
}

function checkGoingOn(signal: UploadRequest['signal']): void {
  if (signal?.aborted) throw new WorkbenchError('CANCELLED', 'The upload was cancelled');
}
