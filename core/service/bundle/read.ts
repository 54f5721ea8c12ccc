import { createHash } from 'node:crypto';
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
  readonly manifestSha256: string;
  /** @throws BUNDLE_UNREADABLE naming what is wrong with it; so does the reading of its events */
  run(runId: string): RunContent;
  /** Reads a run to its end and gives [SHA-256, bytes] of what it has in the end. @throws BUNDLE_UNREADABLE */
  check(runId: string): readonly (readonly [string, number])[];
  /** In pieces; checked at its end. @throws BUNDLE_UNREADABLE */
  artifact(sha256: string): Iterable<Uint8Array>;
  close(): void;
}

const decoder = new TextDecoder('utf-8', { fatal: true });
/** Of JSON that is parsed in one piece: what it becomes takes many times its size in memory. */
const largestJsonBytes = 16 * 2 ** 20;
const largestLineBytes = 4 * 2 ** 20;
/** A run that says as much as it may says some 400 MB in a day. */
const largestEventsBytes = 2 ** 29;
/** Of what has to be in memory as a whole. */
const largestFileBytes = 2 ** 31;
/** Events are the part that packs best, about thirty to one. */
const mostUnpackedPerByte = 100;
const alwaysAllowedBytes = 64 * 2 ** 20;

/** Opens a bundle and checks it as a whole. @throws BUNDLE_UNREADABLE naming the file that is wrong */
export function openBundle(path: string, workspaceDir: string): OpenBundle {
  const zip = openZip(path);
  try {
    const entries = entriesByName(zip);
    const { manifest, manifestSha256 } = readManifest(zip, entries);
    checkFiles(manifest, entries);
    checkSizes(zip, workspaceDir);
    const files = new Map(manifest.files.map((file) => [file.path, file]));
    const find = (name: string) => {
      const [entry, file] = [entries.get(name), files.get(name)];
      if (!entry || !file) throw unreadable(`${quoted(name)} is missing`);
      const check = (sha256: string): void => {
        if (sha256 === file.sha256) return;
        throw unreadable(`${quoted(name)} was changed: expected SHA-256 ${file.sha256}, got ${sha256}`);
      };
      return { entry, check };
    };
    const read = (name: string, mostBytes: number): Uint8Array => {
      const { entry, check } = find(name);
      checkSize(entry, mostBytes);
      const bytes = zip.read(entry);
      check(sha256Of(bytes));
      return bytes;
    };
    function* artifact(sha256: string): Generator<Uint8Array> {
      const { entry, check } = find(artifactPath(sha256));
      const hash = createHash('sha256');
      for (const piece of zip.pieces(entry)) {
        hash.update(piece);
        yield piece;
      }
      check(hash.digest('hex'));
    }
    return {
      manifest,
      manifestSha256,
      run: (runId) => readRun(runId, read),
      check: (runId) => checkRun(readRun(runId, read), files),
      artifact,
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

function checkSize({ name, sizeBytes }: ZipEntry, mostBytes: number): void {
  if (sizeBytes > mostBytes)
    throw unreadable(`${quoted(name)} claims ${sizeBytes} bytes, expected at most ${mostBytes}`);
}

function readManifest(
  zip: ZipFile,
  entries: ReadonlyMap<string, ZipEntry>,
): { readonly manifest: Manifest; readonly manifestSha256: string } {
  const [manifest, signature] = [manifestName, signatureName].map((name) => {
    const entry = entries.get(name);
    if (!entry) throw unreadable(`${name} is missing`);
    checkSize(entry, largestJsonBytes);
    return zip.read(entry);
  });
  if (!manifest || !signature) throw unreadable(`${manifestName} is missing`);
  const parsed = parse(Manifest, jsonOf(manifest, manifestName), manifestName);
  if (isSignedBy(parsed.publicKey, manifest, textOf(signature, signatureName).trim())) {
    return { manifest: parsed, manifestSha256: sha256Of(manifest) };
  }
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
  for (const entry of entries) if (entry.method !== 0) checkSize(entry, largestFileBytes);
  const expected = mostUnpackedPerByte * sizeBytes + alwaysAllowedBytes;
  if (total > expected) {
    const [worst] = entries.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
    throw unreadable(`${quoted(worst?.name ?? '')} and the others claim ${total} bytes, expected at most ${expected}`);
  }
  const disk = statfsSync(workspaceDir);
  const room = disk.bavail * disk.bsize * 0.9;
  if (total > room) throw unreadable(`it needs ${total} bytes, and there is room for ${Math.floor(room)}`);
}

type Read = (name: string, mostBytes: number) => Uint8Array;

function readRun(runId: string, read: Read): RunContent {
  const paths = runFiles(runId);
  const run = parse(BundledRun, jsonOf(read(paths.run, largestJsonBytes), paths.run), paths.run);
  if (run.runId !== runId) throw unreadable(`run ${runId}: its file is that of ${run.runId}`);
  run.jobs.forEach(({ jobId, ordinal }, i) => {
    if (ordinal === i + 1 && jobId === `${runId}.${ordinal}`) return;
    throw unreadable(`run ${runId}: its jobs are not in order`);
  });
  return { run, events: inOrder(run, eventsIn(read(paths.events, largestEventsBytes), paths.events)) };
}

/** Parsed one by one: many times the memory of the file would be needed for all. */
function* eventsIn(bytes: Uint8Array, name: string): Generator<RunEvent> {
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const where = `${name}, line ${line}`;
    const found = bytes.indexOf(newline, start);
    const end = found === -1 ? bytes.length : found;
    if (end - start > largestLineBytes) {
      throw unreadable(`${where} has ${end - start} bytes, expected at most ${largestLineBytes}`);
    }
    yield parse(RunEvent, jsonOf(bytes.subarray(start, end), where), where);
    start = end + 1;
  }
}

const newline = 0x0a;

function* inOrder({ runId, jobs }: BundledRun, events: Iterable<RunEvent>): Generator<RunEvent> {
  const places = new Map(jobs.map(({ jobId }, i) => [jobId, i]));
  let last = { place: -1, seq: -1 };
  for (const event of events) {
    const place = places.get(event.jobId) ?? -1;
    // Progress that nobody needs any more has been left out.
    const isLater = place > last.place || (place === last.place && event.seq > last.seq);
    if (event.runId !== runId || place === -1 || !isLater) {
      throw unreadable(`run ${runId}: event ${event.seq} of ${quoted(event.jobId)} is out of place`);
    }
    last = { place, seq: event.seq };
    yield event;
  }
}

function checkRun(
  { run, events }: RunContent,
  files: ReadonlyMap<string, { readonly sizeBytes: number }>,
): readonly (readonly [string, number])[] {
  // What the run has in the end: a name that comes again replaces what had it.
  const artifacts = new Map<string, Artifact>();
  for (const event of events) if (event.type === 'artifact') artifacts.set(event.artifact.name, event.artifact);
  return [...artifacts.values()].map(({ name, sha256, sizeBytes }) => {
    if (files.get(artifactPath(sha256))?.sizeBytes === sizeBytes) return [sha256, sizeBytes];
    throw unreadable(`the file of artifact ${quoted(name)} of run ${run.runId} is missing`);
  });
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
