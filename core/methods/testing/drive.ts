import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32 } from '../../base/tensor.ts';
import type { LiveTable } from '../../contract/live-table.ts';
import type { DataRef, ResultMetrics } from '../../contract/run.ts';
import type { ImageSet } from '../../data/dataset.ts';
import { npzBytes } from '../../data/write.ts';
import type { ArtifactContent, CheckpointState, MethodEvent, RunContext } from '../context.ts';

/** Runs a method's generator in this process, as the job host does, and keeps everything that it says. */

/** Files are read. */
type Content = Exclude<ArtifactContent, { file: string }>;

export interface Driven {
  /** undefined: the run was ended at a checkpoint. */
  readonly metrics: ResultMetrics | undefined;
  readonly artifacts: ReadonlyMap<string, Content>;
  readonly logs: readonly string[];
  /** name → step → value. */
  readonly series: Readonly<Record<string, Readonly<Record<number, number>>>>;
  readonly tables: readonly LiveTable[];
  readonly fractions: readonly number[];
  readonly checkpointCount: number;
  /** The one that the run was ended at. */
  readonly checkpoint: CheckpointState | undefined;
}

export interface DriveOptions {
  /** Ends the run at the first offer for which this holds; a copy of the checkpoint is kept. */
  readonly stopAt?: (offer: number, phase: string) => boolean;
  /** At the first offer for which this holds the run is told to stop. */
  readonly cancelAt?: (offer: number) => boolean;
  /** After the first event for which this holds the run is told to stop, and ended at its next offer, as the host does. */
  readonly abortAt?: (event: MethodEvent) => boolean;
  /** Sees every event. */
  readonly onEvent?: (event: MethodEvent) => void;
}

type Context = RunContext<unknown>;

/** What a context needs beside parameters, models and data. Milliseconds of each look at the clock set the chunk sizes. */
export function plainContext(msPerLook = 0): Omit<Context, 'params' | 'models' | 'data'> {
  let atMs = 0;
  return {
    device: 'cpu',
    threads: 1,
    signal: new AbortController().signal,
    resume: undefined,
    now: () => (atMs += msPerLook),
    scratch,
  };
}

/** Of the runs of this process, one after the other: one that goes on finds what it had put aside. */
const scratch = mkdtempSync(join(tmpdir(), 'palimpsest-scratch-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

export async function drive<Params>(
  run: (context: RunContext<Params>) => AsyncGenerator<MethodEvent, ResultMetrics, void>,
  context: Omit<RunContext<Params>, 'signal'>,
  { stopAt = () => false, cancelAt = () => false, abortAt = () => false, onEvent = () => {} }: DriveOptions = {},
): Promise<Driven> {
  const stop = new AbortController();
  const artifacts = new Map<string, Content>();
  const logs: string[] = [];
  const series: Record<string, Record<number, number>> = {};
  const tables: LiveTable[] = [];
  const fractions: number[] = [];
  let [checkpointCount, isAborted] = [0, false];
  const said = (metrics: ResultMetrics | undefined, checkpoint?: CheckpointState): Driven => ({
    metrics,
    artifacts,
    logs,
    series,
    tables,
    fractions,
    checkpointCount,
    checkpoint,
  });
  const steps = run({ ...context, signal: stop.signal });
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return said(value);
    onEvent(value);
    if (value.type === 'metric') (series[value.name] ??= {})[value.step] = value.value;
    else if (value.type === 'log') logs.push(`${value.level}: ${value.message}`);
    else if (value.type === 'artifact') artifacts.set(value.name, inMemory(value.content));
    else if (value.type === 'table') tables.push(value.table);
    else if (value.type === 'progress') fractions.push(value.fraction);
    else {
      const offer = checkpointCount++;
      const state = structuredClone(value.capture());
      if (stopAt(offer, state.phase) || isAborted) {
        await steps.return({});
        return said(undefined, state);
      }
      if (cancelAt(offer)) stop.abort();
    }
    if (!isAborted && abortAt(value)) {
      isAborted = true;
      stop.abort();
    }
  }
}

/** The host takes files away at once. */
function inMemory(content: ArtifactContent): Content {
  if (!('file' in content)) return content;
  const bytes = readFileSync(content.file);
  rmSync(content.file);
  return { bytes, mediaType: content.mediaType };
}

/** Bytes of an artifact, or of its JSON text. */
export function artifactBytes(driven: Driven, name: string): Buffer {
  const content = driven.artifacts.get(name);
  if (!content) throw new Error(`The run made no ${name}`);
  return 'bytes' in content ? Buffer.from(content.bytes) : Buffer.from(JSON.stringify(content.json));
}

/** A folder that goes away with the test, or with the file (`{ after }`). */
export function temporaryFolder(t: { after(clean: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'palimpsest-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes an image set as .npz and refers to it. */
export async function storeSet(dir: string, name: string, set: ImageSet): Promise<DataRef> {
  const images = new Float32Array(set.count * set.shape[0] * set.shape[1] * set.shape[2]);
  await set.read(
    Int32Array.from({ length: set.count }, (_, i) => i),
    images,
  );
  const path = join(dir, `${name}.npz`);
  const tensors = { images: float32([set.count, ...set.shape], images) };
  const labels = set.labels && { labels: { dtype: 'int32' as const, dims: [set.count], data: set.labels } };
  writeFileSync(path, npzBytes({ ...tensors, ...labels }));
  return { path, format: 'auto', split: 'all' };
}
