import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunEvent } from '../core/contract/run.ts';
import { createProgress } from './progress.ts';
import { fakeTerminal } from './testing/call-program.ts';
import { toySpec } from './testing/toy-spec.ts';

const at = (atMs: number) => ({ runId: 'r', jobId: 'j', seq: 0, atMs });
const progress = (atMs: number, step: number, phase = 'count', remainingMs?: number): RunEvent => ({
  ...at(atMs),
  type: 'progress',
  phase,
  step,
  totalSteps: 100,
  fraction: step / 100,
  ...(remainingMs === undefined ? {} : { remainingMs }),
});
const metrics = (atMs: number, name: string, value: number): RunEvent => ({
  ...at(atMs),
  type: 'metrics',
  points: [{ name, step: 1, value }],
});
const live = (columns = 100) => {
  const terminal = fakeTerminal({ isLive: true, columns });
  return { terminal, shown: createProgress(terminal, toySpec.metrics) };
};
const visible = (text: string): string => text.split('\u001b[2K').at(-1) ?? '';

describe('progress without a terminal', () => {
  it('says a line at each phase, and at most one in five seconds within it', () => {
    const terminal = fakeTerminal();
    const shown = createProgress(terminal, toySpec.metrics);
    for (let step = 0; step <= 60; step++) shown.on(progress(step * 100, step));
    shown.on(progress(6100, 61, 'check'));
    shown.end();
    assert.deepEqual(terminal.err.split('\n'), [
      '  0% count: step 0 of 100',
      ' 50% count: step 50 of 100',
      ' 61% check: step 61 of 100',
      '',
    ]);
  });

  it('tells the time left and the latest metrics with their unit', () => {
    const terminal = fakeTerminal();
    const shown = createProgress(terminal, toySpec.metrics);
    shown.on(progress(0, 0));
    shown.on(metrics(10, 'share', 0.25));
    shown.on(metrics(20, 'other', 3));
    shown.on(metrics(30, 'share', 0.5));
    shown.on(progress(6000, 40, 'count', 65_300));
    assert.match(terminal.err, / 40% count: step 40 of 100, 1.min.05.s left, other 3, Share 50\.0.%\n$/);
  });

  it('passes on what a method says, and marks warnings', () => {
    const terminal = fakeTerminal();
    const shown = createProgress(terminal, {});
    shown.on({ ...at(0), type: 'log', level: 'info', message: 'Softmax at the end was left out' });
    shown.on({ ...at(1), type: 'log', level: 'warning', message: 'Few images' });
    assert.equal(terminal.err, 'Softmax at the end was left out\nwarning: Few images\n');
  });
});

describe('progress on a terminal', () => {
  it('redraws one line, at most ten times a second, and takes it away at the end', () => {
    const { terminal, shown } = live();
    for (let step = 0; step < 50; step++) shown.on(progress(step * 10, step));
    assert.equal(terminal.err.split('\r').length - 1, 5);
    assert.ok(!terminal.err.includes('\n'));
    shown.end();
    assert.equal(visible(terminal.err), '');
  });

  it('never writes a line wider than the terminal', () => {
    for (const columns of [20, 40, 60, 100]) {
      const { terminal, shown } = live(columns);
      shown.on(metrics(0, 'share', 0.5));
      shown.on(progress(0, 0, 'a phase with quite a long name', 1000));
      for (const name of ['share', 'total', 'x', 'y']) shown.on(metrics(10, name, 123.456));
      shown.on(progress(200, 33, 'a phase with quite a long name', 1000));
      for (const line of terminal.err.split('\r')) assert.ok(line.replace('\u001b[2K', '').length < columns);
    }
  });

  it('keeps the line below what a method says', () => {
    const { terminal, shown } = live();
    shown.on(progress(0, 10));
    shown.on({ ...at(1), type: 'log', level: 'info', message: 'Half way' });
    assert.match(terminal.err, /Half way\n\r/);
    assert.match(visible(terminal.err), /count/);
  });

  it('fills the bar with the share that is done', () => {
    const { terminal, shown } = live();
    shown.on(progress(0, 0));
    assert.match(visible(terminal.err), /│ {20}│/);
    shown.on(progress(1000, 50));
    assert.match(visible(terminal.err), /│█{10} {10}│/);
    shown.on(progress(2000, 100));
    assert.match(visible(terminal.err), /│█{20}│/);
  });

  it('uses escape codes for colour only where the terminal wants them', () => {
    const terminal = fakeTerminal({ isLive: true, hasColour: true });
    createProgress(terminal, {}).on(progress(0, 1));
    assert.ok(terminal.err.includes('\u001b[1mcount'));
    const { terminal: plain, shown } = live();
    shown.on(progress(0, 1));
    assert.ok(!plain.err.includes('\u001b[1m'));
  });
});
