import { statfsSync } from 'node:fs';
import type { z } from 'zod';
import { sha256Of } from '../../jobs/canonical-json.ts';
import { RunEvent, type Artifact } from '../../contract/run.ts';
import {
  BundledRun,
  Manifest,
  artifactPath,
  manifestName,
  runFiles,
  signatureName,
  type RunContent,
} from './format.ts';
import { isSignedBy } from './signing-key.ts';
import { openZip, quoted, unreadable, type ZipEntry, type ZipFile } from './zip-entries.ts';

/** A bundle whose signature, names, sizes and directory are in order; each file is checked when it is read. */
export interface OpenBundle {
  readonly manifest: Manifest;
  /** @throws BUNDLE_UNREADABLE naming what is wrong with it */
  run(runId: string): RunContent;
  artifact(sha256: string): Uint8Array;
  close(): void;
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const largestManifestBytes = 64 * 2 ** 20;
const largestFileBytes = 2 ** 31;
/** Events are the part that packs best, about thirty to one. */
const mostUnpackedPerByte = 100;
const alwaysAllowedBytes = 64 * 2 ** 20;

/** Opens a bundle and checks it as a whole. @throws BUNDLE_UNREADABLE naming the file that is wrong */
export function openBundle(path: string, workspaceDir: string): OpenBundle {
  const zip = openZip(path);
  try {
    const entries = entriesByName(zip);
    const manifest = readManifest(zip, entries);
    checkFiles(manifest, entries);
    checkSizes(zip, workspaceDir);
    const files = new Map(manifest.files.map((file) => [file.path, file]));
    const read = (name: string): Uint8Array => {
      const [entry, file] = [entries.get(name), files.get(name)];
      if (!entry || !file) throw unreadable(`${quoted(name)} is missing`);
      const bytes = zip.read(entry);
      const sha256 = sha256Of(bytes);
      if (sha256 === file.sha256) return bytes;
      throw unreadable(`${quoted(name)} was changed: expected SHA-256 ${file.sha256}, got ${sha256}`);
    };
    return {
      manifest,
      run: (runId) => readRun(runId, read, files),
      artifact: (sha256) => read(artifactPath(sha256)),
      close: () => zip.close(),
    };
  } catch (thrown) {
    zip.close();
    throw thrown;
  }
}

function entriesByName({ entries }: ZipFile): ReadonlyMap<string, ZipEntry> {
  const byName = new Map<string, ZipEntry>();
  for (const entry of entries) {
    if (byName.has(entry.name)) throw unreadable(`${quoted(entry.name)} is in it twice`);
    byName.set(entry.name, entry);
  }
  return byName;
}

function readManifest(zip: ZipFile, entries: ReadonlyMap<string, ZipEntry>): Manifest {
  const [manifest, signature] = [manifestName, signatureName].map((name) => {
    const entry = entries.get(name);
    if (!entry) throw unreadable(`${name} is missing`);
    if (entry.sizeBytes > largestManifestBytes) throw unreadable(`${name} claims ${entry.sizeBytes} bytes`);
    return zip.read(entry);
  });
  if (!manifest || !signature) throw unreadable(`${manifestName} is missing`);
  const parsed = parse(Manifest, jsonOf(manifest, manifestName), manifestName);
  if (isSignedBy(parsed.publicKey, manifest, textOf(signature, signatureName).trim())) return parsed;
  throw unreadable(`${manifestName} does not match its signature: it was changed after it was signed`);
}

/** The manifest and the zip name the same files. */
function checkFiles({ files }: Manifest, entries: ReadonlyMap<string, ZipEntry>): void {
  const listed = new Set([manifestName, signatureName]);
  for (const { path, sizeBytes } of files) {
    if (listed.has(path)) throw unreadable(`${quoted(path)} is listed twice`);
    listed.add(path);
    const entry = entries.get(path);
    if (!entry) throw unreadable(`${quoted(path)} is missing`);
    if (entry.sizeBytes === sizeBytes) continue;
    throw unreadable(`${quoted(path)} was changed: expected ${sizeBytes} bytes, got ${entry.sizeBytes}`);
  }
  for (const name of entries.keys()) if (!listed.has(name)) throw unreadable(`${quoted(name)} is not in its manifest`);
}

/** A small file that claims to become a large one is not unpacked. */
function checkSizes({ entries, sizeBytes }: ZipFile, workspaceDir: string): void {
  const total = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  const largest = entries.find((entry) => entry.sizeBytes > largestFileBytes);
  if (largest)
    throw unreadable(`${quoted(largest.name)} claims ${largest.sizeBytes} bytes, expected at most ${largestFileBytes}`);
  const expected = mostUnpackedPerByte * sizeBytes + alwaysAllowedBytes;
  if (total > expected) {
    const [worst] = entries.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
    throw unreadable(`${quoted(worst?.name ?? '')} and the others claim ${total} bytes, expected at most ${expected}`);
  }
  const disk = statfsSync(workspaceDir);
  const room = disk.bavail * disk.bsize * 0.9;
  if (total > room) throw unreadable(`it needs ${total} bytes, and there is room for ${Math.floor(room)}`);
}

function readRun(
  runId: string,
  read: (name: string) => Uint8Array,
  files: ReadonlyMap<string, { readonly sizeBytes: number }>,
): RunContent {
  const paths = runFiles(runId);
  const run = parse(BundledRun, jsonOf(read(paths.run), paths.run), paths.run);
  const lines = textOf(read(paths.events), paths.events).split('\n');
  const events = lines.flatMap((line, i) => {
    if (line === '') return [];
    const where = `${paths.events}, line ${i + 1}`;
    return [parse(RunEvent, jsonOf(new TextEncoder().encode(line), where), where)];
  });
  checkRun(runId, { run, events });
  for (const artifact of artifactsOf(events)) {
    const file = files.get(artifactPath(artifact.sha256));
    if (file?.sizeBytes === artifact.sizeBytes) continue;
    throw unreadable(`the file of artifact ${quoted(artifact.name)} of run ${runId} is missing`);
  }
  return { run, events };
}

function checkRun(runId: string, { run, events }: RunContent): void {
  const wrong = (what: string): Error => unreadable(`run ${runId}: ${what}`);
  if (run.runId !== runId) throw wrong(`its file is that of ${run.runId}`);
  run.jobs.forEach(({ jobId, ordinal }, i) => {
    if (ordinal !== i + 1 || jobId !== `${runId}.${ordinal}`) throw wrong(`its jobs are not in order`);
  });
  const jobs = new Map(run.jobs.map(({ jobId }) => [jobId, 0]));
  let last = -1;
  for (const event of events) {
    const expected = jobs.get(event.jobId);
    const at = run.jobs.findIndex(({ jobId }) => jobId === event.jobId);
    if (event.runId !== runId || expected === undefined || event.seq !== expected || at < last) {
      throw wrong(`event ${event.seq} of ${quoted(event.jobId)} is out of place`);
    }
    last = at;
    jobs.set(event.jobId, expected + 1);
  }
}

/** What the run has in the end: a name that comes again replaces what had it. */
export function artifactsOf(events: readonly RunEvent[]): readonly Artifact[] {
  return [
    ...new Map(
      events.flatMap((event) => (event.type === 'artifact' ? [[event.artifact.name, event.artifact] as const] : [])),
    ).values(),
  ];
}

function parse<T extends z.ZodType>(schema: T, value: unknown, name: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unreadable(`${name} is not as expected at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
}

function jsonOf(bytes: Uint8Array, name: string): unknown {
  const text = textOf(bytes, name);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (thrown) {
    throw unreadable(`${name} is no JSON`, thrown);
  }
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return decoder.decode(bytes);
  } catch (thrown) {
    throw unreadable(`${name} is no UTF-8 text`, thrown);
  }
}
