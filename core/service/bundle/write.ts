import { zipSync, type Zippable } from 'fflate';
import { WorkbenchError } from '../../base/errors.ts';
import { sha256Of } from '../../jobs/canonical-json.ts';
import { describeMachine } from '../../jobs/environment.ts';
import type { MethodSpec } from '../../methods/define.ts';
import type { WorkspaceReader } from '../../store/workspace.ts';
import { checkDownload } from '../export-files.ts';
import { makeReport } from '../report-files.ts';
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

const encoder = new TextEncoder();
const jsonText = (value: unknown): Uint8Array => encoder.encode(`${JSON.stringify(value, null, 2)}\n`);

/** `palimpsest-RUN.palimpsest.zip`, or how many they are. */
export function bundleName(runIds: readonly string[]): string {
  const [first = ''] = runIds;
  return `palimpsest-${runIds.length === 1 ? first : `${runIds.length}-runs-${first}`}${bundleExtension}`;
}

/** Before a bundle is made. @throws RUN_STATE for a run that waits or runs; USAGE when their files are too large */
export function checkBundle(reader: WorkspaceReader, runIds: readonly string[]): void {
  const records = runIds.map((run) => reader.getRun(run));
  const busy = records.find(({ state }) => state === 'queued' || state === 'running');
  if (busy) {
    throw new WorkbenchError('RUN_STATE', `Run ${busy.runId} is ${busy.state} and cannot go into a bundle`, {
      hint: 'Wait until it has ended, or cancel it first.',
    });
  }
  checkDownload(records.flatMap(({ artifacts }) => artifacts));
}

/**
 * A signed bundle of runs that have ended. The same runs give the same files; only the signature's key differs between
 * workspaces. @throws as checkBundle does
 */
export function writeBundle(
  reader: WorkspaceReader,
  runIds: readonly string[],
  specs: readonly MethodSpec[],
): Uint8Array<ArrayBuffer> {
  const files = new Map<string, Uint8Array>([['README.txt', encoder.encode(readme)]]);
  const ids = [...new Set(runIds.map((run) => reader.getRun(run).runId))].toSorted();
  checkBundle(reader, ids);
  for (const runId of ids) addRun(files, reader, runId, specs);
  const key = signingKey(reader.dir);
  const manifest: Manifest = {
    schema: 'palimpsest.bundle/1',
    palimpsest: describeMachine().palimpsest,
    publicKey: key.publicKey,
    runs: ids,
    files: [...files].map(([path, bytes]) => ({ path, sizeBytes: bytes.byteLength, sha256: sha256Of(bytes) })),
  };
  const manifestBytes = jsonText(manifest);
  const signature = encoder.encode(`${key.sign(manifestBytes)}\n`);
  const zipped: Zippable = Object.fromEntries(
    [[manifestName, manifestBytes] as const, [signatureName, signature] as const, ...files].map(([path, bytes]) => [
      path,
      // Pictures and weights hardly shrink.
      [bytes, { level: path.startsWith('artifacts/') ? 0 : 6 }],
    ]),
  );
  // Without times, so that the same content gives the same bytes.
  return zipSync(zipped, { mtime: new Date(1980, 0, 1) });
}

function addRun(
  files: Map<string, Uint8Array>,
  reader: WorkspaceReader,
  runId: string,
  specs: readonly MethodSpec[],
): void {
  const record = reader.getRun(runId);
  const { note, tags, groupId } = reader.getRow(runId);
  const jobs = reader.jobs(runId).map(({ jobId, ordinal, createdAtMs }) => ({ jobId, ordinal, createdAtMs }));
  const { request, createdAtMs } = record;
  const run: BundledRun = { runId, request, createdAtMs, jobs, note, tags, groupId };
  const paths = runFiles(runId);
  files.set(paths.run, jsonText(run));
  const lines = reader.events(runId).map((event) => `${JSON.stringify(event)}\n`);
  files.set(paths.events, encoder.encode(lines.join('')));
  const spec = specs.find(({ id }) => id === request.methodId);
  if (spec) {
    const report = makeReport(reader, runId, spec);
    files.set(paths.html, encoder.encode(report.html));
    files.set(paths.json, encoder.encode(report.json));
  }
  for (const artifact of record.artifacts) files.set(artifactPath(artifact.sha256), reader.readArtifact(artifact));
}
