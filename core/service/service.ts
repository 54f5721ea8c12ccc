import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { toWorkbenchError, WorkbenchError } from '../base/errors.ts';
import { requests, type Answer, type HostEvent, type RequestName } from '../contract/bridge.ts';
import type { RunEvent } from '../contract/run.ts';
import { heldArtifacts } from '../jobs/checkpoints.ts';
import { openQueue, type RunQueue } from '../jobs/queue.ts';
import { watchStrays } from '../jobs/strays.ts';
import { findMethod } from '../methods/catalogue.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { Workspace } from '../store/workspace.ts';
import { createEventLog, type Listener } from './event-log.ts';
import type { HandlerTable } from './bind.ts';
import { handlers } from './handlers.ts';
import type { Inside, ServiceOptions } from './inside.ts';
import { openLibrary } from './library.ts';
import { createLinks, type Linked } from './links.ts';
import { createLooks } from './looks.ts';
import { writeReport } from './report-files.ts';
import { openSettings } from './settings.ts';
import { openUploads } from './uploads.ts';

/** The host of any number of windows on one workspace. It lives on when all of them are closed. */
export interface Service {
  readonly hostId: string;
  /** Number of the newest event, -1 before the first. */
  readonly lastSeq: number;
  /** Never rejects: what fails is in the answer. */
  request(name: string, params: unknown): Promise<Answer>;
  subscribe(listener: Listener): () => void;
  eventsAfter(hostId: string, seq: number): readonly HostEvent[];
  /** Adds bytes to a file of an upload and gives how much of it is there. */
  append(uploadId: string, file: number, offset: number, bytes: Uint8Array): number;
  /** @throws for something that could be made when its ticket was, and cannot be any more */
  openLink(ticket: string): Promise<Linked | undefined>;
  /** Bytes of a stored file; undefined when there is none. */
  artifact(sha256: string): Uint8Array | undefined;
  /** Stops the running job at a safe point and lets go of the workspace. */
  close(): Promise<void>;
}

const trashDays = 30;

export function openService(options: ServiceOptions): Service {
  const { workspace, specs, now } = options;
  const log = createEventLog(randomBytes(8).toString('hex'));
  workspace.purge(workspace.trashedFor(trashDays), heldArtifacts(workspace.dir));
  const tellRows = (runIds: readonly string[]): void => {
    for (const runId of runIds) log.push({ type: 'run', row: workspace.getRow(runId) });
  };
  const onEvent = (event: RunEvent): void => {
    log.push({ type: 'job', event });
    if (event.type === 'started' || event.type === 'finished') tellRows([event.runId]);
  };
  const stopWatching = watchStrays({ store: workspace, onEvent });
  const looks = createLooks(() => queue.facts().running.length > 0);
  const queue: RunQueue = openQueue({
    store: workspace,
    now,
    onEvent,
    onChange() {
      const facts = queue.facts();
      if (facts.running.length > 0) looks.giveWay();
      log.push({ type: 'queue', queue: facts });
    },
    onEnded(run) {
      if (run.state !== 'succeeded' && !(run.state === 'failed' && run.artifacts.length > 0)) return;
      keepReport(workspace, specs, run.runId, run.request.methodId);
    },
    ...(options.launch ? { launch: options.launch } : {}),
  });
  const inside: Inside = {
    options,
    workspace,
    queue,
    library: openLibrary(workspace.dir),
    uploads: openUploads(workspace.dir, options.elapsed),
    links: createLinks(workspace, specs, now),
    settings: openSettings(workspace.dir),
    looks,
    tellRows,
    tellRemoved: (runIds) => log.push({ type: 'runs-removed', runIds: [...runIds] }),
    tellLibrary: (what) => log.push({ type: 'library', what }),
  };
  const table = handlers(inside);
  for (const runId of workspace.runIdsIn('queued')) queue.add(runId);
  let isClosed = false;
  return {
    hostId: log.hostId,
    get lastSeq() {
      return log.nextSeq - 1;
    },
    request: (name, params) => answer(table, name, params),
    subscribe: (listener) => log.subscribe(listener),
    eventsAfter: (hostId, seq) => log.after(hostId, seq),
    append: (uploadId, file, offset, bytes) => inside.uploads.append(uploadId, file, offset, bytes),
    openLink: (ticket) => inside.links.open(ticket),
    artifact: (sha256) => readArtifact(workspace, sha256),
    async close() {
      if (isClosed) return;
      isClosed = true;
      stopWatching();
      looks.close();
      await queue.close();
      workspace.close();
    },
  };
}

async function answer(table: HandlerTable, name: string, params: unknown): Promise<Answer> {
  try {
    if (!isRequestName(name)) throw new WorkbenchError('USAGE', `There is no request ${JSON.stringify(name)}`);
    return { ok: true, result: await table[name](params) };
  } catch (thrown) {
    return { ok: false, error: toWorkbenchError(thrown).toShape() };
  }
}

const isRequestName = (name: string): name is RequestName => Object.hasOwn(requests, name);

function readArtifact(workspace: Workspace, sha256: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  try {
    return readFileSync(workspace.artifactPath(sha256));
  } catch {
    // Purged, or never there.
    return undefined;
  }
}

/** A report that cannot be made never costs the result; it is made again when someone opens it, and says why then. */
function keepReport(workspace: Workspace, specs: readonly MethodSpec[], runId: string, methodId: string): void {
  try {
    writeReport(workspace, runId, findMethod(methodId, specs));
  } catch {
    return;
  }
}
