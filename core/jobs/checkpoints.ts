import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import { tensor, viewBytes, type Tensor } from '../base/tensor.ts';
import { checkpointFolder, runsFolder, scratchFolder } from '../contract/layout.ts';
import type { CheckpointState } from '../methods/context.ts';
import { canonicalJson, decodeExact, encodeExact, sha256Of } from './canonical-json.ts';
import {
  Manifest,
  checkFormat,
  checkIdentity,
  type CheckpointIdentity,
  type TensorEntry,
  type Unstored,
} from './checkpoint-manifest.ts';
import { discard, writeDurably, type FileSystem } from './durable-files.ts';

/**
 * The checkpoints of one run, in runs/<id>/checkpoints. The n-th is `n.json`, a manifest with its own hash, and `n.bin`,
 * all of its tensors; parts have files of their own, written once. The manifest is written last, so it never names a
 * file that is not whole. The last two are kept.
 */
export interface Checkpoints {
  /** `state` undefined: the beginning of the run. @throws WORKSPACE_UNUSABLE, and the last checkpoint stays. */
  write(state: CheckpointState | undefined, extras: CheckpointExtras): WrittenCheckpoint;
}

export interface CheckpointExtras {
  readonly fraction: number;
  readonly unstored: Unstored;
}

export interface WrittenCheckpoint {
  readonly phase: string;
  readonly step: number;
  /** Relative to the workspace. */
  readonly path: string;
}

export interface LoadedCheckpoint extends CheckpointExtras {
  readonly state: CheckpointState | undefined;
  readonly manifest: Manifest;
  /** Newer checkpoints that were damaged and passed over. */
  readonly damaged: readonly string[];
}

const Sealed = z.strictObject({ sha256: z.string(), manifest: z.unknown() });

const pad = (sequence: number): string => String(sequence).padStart(6, '0');

export function openCheckpoints(
  workspaceDir: string,
  runId: string,
  identity: CheckpointIdentity,
  loaded?: LoadedCheckpoint,
  fs?: FileSystem,
): Checkpoints {
  const folder = join(workspaceDir, checkpointFolder(runId));
  let previous = loaded?.manifest;
  let sequence = Math.max(0, ...sequencesIn(folder));
  return {
    write(state, { fraction, unstored }) {
      sequence += 1;
      let manifest: Manifest;
      try {
        const stored = state && {
          phase: state.phase,
          step: state.step,
          json: encodeExact(state.json),
          tensors: writeTensors(folder, `${pad(sequence)}.bin`, state.tensors, fs),
          parts: writeParts(folder, sequence, state.parts ?? {}, previous?.state?.parts ?? [], fs),
        };
        manifest = { format: 1, sequence, identity, fraction, unstored, state: stored ?? null };
        const sealed = JSON.stringify({ sha256: sha256Of(canonicalJson(manifest)), manifest });
        writeDurably(join(folder, `${pad(sequence)}.json`), [new TextEncoder().encode(sealed)], fs);
      } catch (thrown) {
        for (const name of [`${pad(sequence)}.bin`, `parts-${pad(sequence)}.bin`]) discard(join(folder, name));
        throw thrown;
      }
      prune(folder, previous ? [previous, manifest] : [manifest]);
      previous = manifest;
      return {
        phase: state?.phase ?? 'start',
        step: state?.step ?? 0,
        path: `${checkpointFolder(runId)}/${pad(sequence)}.json`,
      };
    },
  };
}

/**
 * The newest checkpoint that is whole.
 * @throws CHECKPOINT_STALE when there is none, or when it was made for something else.
 */
export function loadCheckpoint(workspaceDir: string, runId: string, identity: CheckpointIdentity): LoadedCheckpoint {
  const folder = join(workspaceDir, checkpointFolder(runId));
  const damaged: string[] = [];
  for (const sequence of sequencesIn(folder).sort((a, b) => b - a)) {
    const path = join(folder, `${pad(sequence)}.json`);
    const manifest = readManifest(path, runId);
    if (manifest) checkIdentity(manifest.identity, identity, runId);
    const state = manifest && readState(folder, manifest);
    if (manifest && state !== 'damaged') {
      return { state, manifest, damaged, fraction: manifest.fraction, unstored: manifest.unstored };
    }
    damaged.push(path);
  }
  const found = damaged.length === 0 ? 'it has none' : `none of its ${damaged.length} is whole`;
  throw new WorkbenchError('CHECKPOINT_STALE', `Run ${runId} has no checkpoint to go on from: ${found}`, {
    hint: 'Start a new run with the same settings.',
  });
}

/** SHA-256 of artifacts whose files a run will need when it goes on, though the history has not heard of them yet. */
export function heldArtifacts(workspaceDir: string): ReadonlySet<string> {
  const held = new Set<string>();
  for (const runId of namesIn(join(workspaceDir, runsFolder))) {
    const folder = join(workspaceDir, checkpointFolder(runId));
    for (const sequence of sequencesIn(folder)) {
      const manifest = ownManifest(join(folder, `${pad(sequence)}.json`), runId);
      for (const { sha256 } of manifest?.unstored.artifacts ?? []) held.add(sha256);
    }
  }
  return held;
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** undefined, too, for one of another version: no run here can go on from it. */
function ownManifest(path: string, runId: string): Manifest | undefined {
  try {
    return readManifest(path, runId);
  } catch (thrown) {
    if (thrown instanceof WorkbenchError && thrown.code === 'CHECKPOINT_STALE') return undefined;
    throw thrown;
  }
}

/** A finished run needs its checkpoints no more, nor what it has put aside. */
export function removeCheckpoints(workspaceDir: string, runId: string): void {
  for (const folder of [checkpointFolder(runId), scratchFolder(runId)])
    rmSync(join(workspaceDir, folder), { recursive: true, force: true });
}

/** Removes what a job that was killed while it wrote has left half-written. Only for when its process is gone. */
export function removeHalfWritten(workspaceDir: string, runId: string): void {
  const folder = join(workspaceDir, checkpointFolder(runId));
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (name.endsWith('.tmp')) discard(join(folder, name));
}

function sequencesIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => (/^\d{6,}\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function writeTensors(
  folder: string,
  file: string,
  tensors: Readonly<Record<string, Tensor>>,
  fs: FileSystem | undefined,
): TensorEntry[] {
  let offsetBytes = 0;
  const entries = Object.entries(tensors).map(([name, value]) => {
    const bytes = bytesOf(value);
    const entry = { name, dtype: value.dtype, dims: [...value.dims], file, offsetBytes, sizeBytes: bytes.byteLength };
    offsetBytes += bytes.byteLength;
    return { ...entry, sha256: sha256Of(bytes) };
  });
  if (entries.length > 0) writeDurably(join(folder, file), Object.values(tensors).map(bytesOf), fs);
  return entries;
}

/** Only parts that the previous checkpoint does not have; several new ones share a file. */
function writeParts(
  folder: string,
  sequence: number,
  parts: Readonly<Record<string, Tensor>>,
  known: readonly TensorEntry[],
  fs: FileSystem | undefined,
): TensorEntry[] {
  const old = new Map(known.map((entry) => [entry.name, entry]));
  const fresh = Object.fromEntries(Object.entries(parts).filter(([name]) => !old.has(name)));
  const written = writeTensors(folder, `parts-${pad(sequence)}.bin`, fresh, fs);
  const all = new Map([...old, ...written.map((entry) => [entry.name, entry] as const)]);
  return Object.keys(parts).flatMap((name) => all.get(name) ?? []);
}

function prune(folder: string, kept: readonly Manifest[]): void {
  const needed = new Set(
    kept.flatMap(({ sequence, state }) => [
      `${pad(sequence)}.json`,
      ...[...(state?.tensors ?? []), ...(state?.parts ?? [])].map((entry) => entry.file),
    ]),
  );
  for (const name of readdirSync(folder)) if (!needed.has(name)) rmSync(join(folder, name), { force: true });
}

/** undefined when the file is damaged. @throws CHECKPOINT_STALE when another version wrote it */
function readManifest(path: string, runId: string): Manifest | undefined {
  const text = readFileSync(path, 'utf8');
  try {
    const { sha256, manifest } = Sealed.parse(JSON.parse(text));
    if (sha256 !== sha256Of(canonicalJson(manifest))) return undefined;
    checkFormat(manifest, runId);
    return Manifest.parse(manifest);
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof z.ZodError) return undefined;
    throw thrown;
  }
}

function readState(folder: string, { state }: Manifest): CheckpointState | undefined | 'damaged' {
  if (!state) return undefined;
  const tensors = readTensors(folder, state.tensors);
  const parts = readTensors(folder, state.parts);
  if (!tensors || !parts) return 'damaged';
  return { phase: state.phase, step: state.step, json: decodeExact(state.json), tensors, parts };
}

/** undefined when a file is missing, too short or changed. */
function readTensors(folder: string, entries: readonly TensorEntry[]): Record<string, Tensor> | undefined {
  const tensors: Record<string, Tensor> = {};
  for (const entry of entries) {
    const bytes = readRange(join(folder, entry.file), entry.offsetBytes, entry.sizeBytes);
    if (!bytes || sha256Of(bytes) !== entry.sha256) return undefined;
    tensors[entry.name] = tensor(entry.dtype, entry.dims, viewBytes(entry.dtype, bytes));
  }
  return tensors;
}

function readRange(path: string, offsetBytes: number, sizeBytes: number): Uint8Array | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = new Uint8Array(sizeBytes);
  const handle = openSync(path, 'r');
  try {
    for (let done = 0; done < sizeBytes;) {
      const read = readSync(handle, bytes, done, sizeBytes - done, offsetBytes + done);
      if (read === 0) return undefined;
      done += read;
    }
  } finally {
    closeSync(handle);
  }
  return bytes;
}
