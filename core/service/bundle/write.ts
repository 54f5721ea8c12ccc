import { WorkbenchError } from '../../base/errors.ts';
import { describeMachine } from '../../jobs/environment.ts';
import type { MethodSpec } from '../../methods/define.ts';
import type { WorkspaceReader } from '../../store/workspace.ts';
import { textContent, type Content } from '../content.ts';
import { makeReport } from '../report-files.ts';
import { readPart, zipOf, type ZipPart, type ZipSource } from '../zip-write.ts';
import {
  artifactPath,
  bundleExtension,
  manifestName,
  readme,
  runFiles,
  signatureName,
  type BundledRun,
  type Manifest,
} from './format.ts';
import { signingKey } from './signing-key.ts';

/** `palimpsest-RUN.palimpsest.zip`, or how many they are. */
export function bundleName(runIds: readonly string[]): string {
  const [first = ''] = runIds;
  return `palimpsest-${runIds.length === 1 ? first : `${runIds.length}-runs-${first}`}${bundleExtension}`;
}

/** @throws RUN_STATE for a run that waits or runs */
function checkEnded(reader: WorkspaceReader, runIds: readonly string[]): void {
  const busy = runIds.map((run) => reader.getRun(run)).find(({ state }) => state === 'queued' || state === 'running');
  if (!busy) return;
  throw new WorkbenchError('RUN_STATE', `Run ${busy.runId} is ${busy.state} and cannot go into a bundle`, {
    hint: 'Wait until it has ended, or cancel it first.',
  });
}

/**
 * A signed bundle of runs that have ended, every file of which has been read and found whole. The same runs give the same
 * files; only the signature's key differs between workspaces. @throws RUN_STATE for a run that waits or runs;
 * WORKSPACE_UNUSABLE when a file is missing or has changed
 */
export async function makeBundle(
  reader: WorkspaceReader,
  runIds: readonly string[],
  specs: readonly MethodSpec[],
): Promise<Content> {
  const ids = [...new Set(runIds.map((run) => reader.getRun(run).runId))].toSorted();
  checkEnded(reader, ids);
  const parts = new Map<string, ZipPart>();
  for (const source of [textSource('README.txt', readme), ...ids.flatMap((id) => runSources(reader, id, specs))]) {
    if (!parts.has(source.path)) parts.set(source.path, await readPart(source));
  }
  // One of them may have been resumed meanwhile.
  checkEnded(reader, ids);
  const key = signingKey(reader.dir);
  const manifest: Manifest = {
    schema: 'palimpsest.bundle/1',
    palimpsest: describeMachine().palimpsest,
    publicKey: key.publicKey,
    runs: ids,
    files: [...parts.values()].map(({ path, sizeBytes, sha256 }) => ({ path, sizeBytes, sha256 })),
  };
  const text = jsonText(manifest);
  const first = [
    textSource(manifestName, text),
    textSource(signatureName, `${key.sign(new TextEncoder().encode(text))}\n`),
  ];
  return zipOf([...(await Promise.all(first.map(readPart))), ...parts.values()]);
}

const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const textSource = (path: string, text: string): ZipSource => ({
  path,
  pieces: textContent(text).pieces,
  isText: true,
});

function runSources(reader: WorkspaceReader, runId: string, specs: readonly MethodSpec[]): readonly ZipSource[] {
  const { request, createdAtMs, artifacts } = reader.getRun(runId);
  const { note, tags, groupId } = reader.getRow(runId);
  const jobs = reader.jobs(runId).map((job) => ({
    jobId: job.jobId,
    ordinal: job.ordinal,
    createdAtMs: job.createdAtMs,
  }));
  const run: BundledRun = { runId, request, createdAtMs, jobs, note, tags, groupId };
  const paths = runFiles(runId);
  const spec = specs.find(({ id }) => id === request.methodId);
  const report = spec && makeReport(reader, runId, spec);
  return [
    textSource(paths.run, jsonText(run)),
    { path: paths.events, pieces: () => eventLines(reader, run), isText: true },
    ...(report ? [textSource(paths.html, report.html), textSource(paths.json, report.json)] : []),
    // Pictures and weights hardly shrink.
    ...artifacts.map((artifact) => ({
      path: artifactPath(artifact.sha256),
      pieces: () => reader.artifactPieces(artifact),
      isText: false,
    })),
  ];
}

const eventsAtOnce = 2000;

function* eventLines(reader: WorkspaceReader, { runId, jobs }: BundledRun): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const { jobId } of jobs) {
    for (let from = 0; ; from += eventsAtOnce) {
      const events = reader.events(runId, { jobId, from, limit: eventsAtOnce });
      if (events.length > 0) yield encoder.encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      if (events.length < eventsAtOnce) break;
    }
  }
}
