import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stream } from '../../base/rng.ts';
import type { RunEvent, RunRequest } from '../../contract/run.ts';
import { openWorkspace, type Workspace, type WorkspaceOptions } from '../../store/workspace.ts';
import type { HostOptions } from '../host.ts';
import { inProcess } from '../in-process.ts';
import { startChild } from '../../runtime/child-process.ts';
import type { JobLauncher } from '../launch.ts';
import { canMove } from '../states.ts';
import { toyInputs, toyRegistry } from './toy-method.ts';

/** A folder that goes away with the test. */
export function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'palimpsest-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A clock that moves on by a millisecond at each look. */
export function tickingClock(startMs = Date.UTC(2026, 10, 22, 10, 15, 30)): () => number {
  let atMs = startMs;
  return () => atMs++;
}

export function toyOptions(seed = 1): WorkspaceOptions {
  return { now: tickingClock(), random: stream(seed, 'run-id').uniform, canMove, waitMs: 20 };
}

/** What of the events of a job that has finished stays in the history: of progress the last of each phase. */
export function withoutOldProgress(events: readonly RunEvent[]): RunEvent[] {
  const phaseOf = (event: RunEvent): string | undefined => (event.type === 'progress' ? event.phase : undefined);
  return events.filter(
    (event, i) => event.type !== 'progress' || !events.slice(i + 1).some((later) => phaseOf(later) === event.phase),
  );
}

export function toyWorkspace(t: TestContext, dir = temporaryFolder(t), options = toyOptions()): Workspace {
  const workspace = openWorkspace(dir, options);
  t.after(() => workspace.close());
  return workspace;
}

export function toyRequest(params: Record<string, unknown> = {}): RunRequest {
  return {
    methodId: 'walk',
    methodVersion: 1,
    params: { steps: 60, seed: 3, behaviour: 'good', ...params },
    models: {},
    data: {},
    device: 'auto',
    threads: 1,
  };
}

/** The host in this process; its clock ticks, so checkpoints come every `checkpointEveryMs` looks at it. */
export function toyInProcess(options: Partial<HostOptions> = {}): JobLauncher {
  return inProcess({
    registry: toyRegistry,
    inputs: toyInputs,
    now: tickingClock(),
    elapsed: tickingClock(0),
    peakMemoryBytes: () => 1,
    checkpointEveryMs: 0,
    ...options,
  });
}

export const toyFork: JobLauncher = () => startChild(new URL('./toy-process.ts', import.meta.url));
