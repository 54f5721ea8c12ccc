import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stream } from '../../core/base/rng.ts';
import type { JobLauncher } from '../../core/jobs/launch.ts';
import { toyRegistry } from '../../core/jobs/testing/toy-method.ts';
import { tickingClock, toyInProcess } from '../../core/jobs/testing/toy-workspace.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { runProgram } from '../program.ts';
import type { Terminal } from '../terminal.ts';
import type { Ended } from './spawn-cli.ts';
import { toySpec } from './toy-spec.ts';

const toySpecs: readonly MethodSpec[] = [...Object.values(toyRegistry).map(({ spec }) => spec), toySpec];

export interface FakeTerminal extends Terminal {
  readonly out: string;
  readonly err: string;
}

export function fakeTerminal(options: Partial<Pick<Terminal, 'isLive' | 'columns' | 'hasColour'>> = {}): FakeTerminal {
  const text = { out: '', err: '' };
  return {
    write: (more) => void (text.out += more),
    note: (more) => void (text.err += more),
    isLive: false,
    columns: 80,
    hasColour: false,
    ...options,
    get out() {
      return text.out;
    },
    get err() {
      return text.err;
    },
  };
}

export interface Caller {
  /** A folder that goes away with the test; commands run in it. */
  readonly folder: string;
  run(...argv: readonly string[]): Promise<Ended>;
  json(...argv: readonly string[]): Promise<{ code: number | null; result: Record<string, unknown>; err: string }>;
}

/** The command line in this process, with the toy methods, jobs in this process and a clock that ticks. */
export function callProgram(t: TestContext, launch: JobLauncher = toyInProcess()): Caller {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const now = tickingClock();
  const random = stream(1, 'run-id').uniform;
  const run = async (...argv: readonly string[]): Promise<Ended> => {
    const terminal = fakeTerminal();
    const code = await runProgram(argv, {
      terminal,
      cwd: folder,
      env: {},
      now,
      elapsed: now,
      random,
      specs: toySpecs,
      launch,
      onInterrupt: () => () => {},
    });
    return { code, out: terminal.out, err: terminal.err };
  };
  return {
    folder,
    run,
    async json(...argv) {
      const { code, out, err } = await run(...argv, '--json');
      const lines = out.split('\n');
      if (lines.length !== 2 || lines[1] !== '') throw new Error(`expected one line, got ${out}\n${err}`);
      return { code, err, result: JSON.parse(out) as Record<string, unknown> };
    },
  };
}
