import { toWorkbenchError, type ErrorShape } from '../base/errors.ts';
import { outliveTerminal } from './terminal-signals.ts';
import type { Session, SessionOptions, Tensors } from './session.ts';

// The job decides when its lanes end. Only then onnxruntime, which takes time to load.
outliveTerminal();
const loading = import('./session.ts');

/** What a lane is asked; answered in order of completion under the same id. */
export type LaneRequest = { readonly id: number } & (
  | { readonly type: 'open'; readonly bytes: Uint8Array; readonly options: SessionOptions; readonly title: string }
  | { readonly type: 'run'; readonly session: number; readonly feeds: Tensors }
  | { readonly type: 'close'; readonly session: number }
);

export type LaneAnswer = { readonly id: number } & (
  | { readonly ok: true; readonly value: LaneOpened | Tensors | null }
  | { readonly ok: false; readonly error: ErrorShape }
);

export interface LaneOpened {
  readonly session: number;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

const sessions = new Map<number, Session>();
let nextSession = 0;

async function answer(request: LaneRequest): Promise<LaneOpened | Tensors | null> {
  if (request.type === 'open') {
    const { openSession } = await loading;
    const session = await openSession(request.bytes, request.options, request.title);
    sessions.set(nextSession, session);
    return { session: nextSession++, inputNames: session.inputNames, outputNames: session.outputNames };
  }
  const session = sessions.get(request.session);
  if (!session) throw new Error(`Lane has no session ${request.session}`);
  if (request.type === 'run') return session.run(request.feeds);
  sessions.delete(request.session);
  await session.close();
  return null;
}

process.on('message', (request: LaneRequest) => {
  answer(request).then(
    (value) => process.send?.({ id: request.id, ok: true, value } satisfies LaneAnswer),
    (thrown: unknown) =>
      process.send?.({ id: request.id, ok: false, error: toWorkbenchError(thrown).toShape() } satisfies LaneAnswer),
  );
});
// The job is gone: nobody is left to compute for.
process.on('disconnect', () => process.exit(0));
