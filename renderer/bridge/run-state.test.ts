import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Artifact, RunEvent } from '../../core/contract/run.ts';
import { applyEvent, type RunView } from './run-state.ts';
import { toyDetails } from './testing/toy-details.ts';

const envelope = { runId: 'r', jobId: 'j', seq: 1, atMs: 5 };
const artifact = (name: string, sha: string): Artifact => {
  return { name, title: name, mediaType: 'image/png', sha256: sha.padEnd(64, '0'), sizeBytes: 1, meta: {} };
};

const viewWith = (artifacts: Artifact[]): RunView => {
  return { details: toyDetails(artifacts), series: new Map(), seriesVersion: 0, logs: [] };
};

const after = (view: RunView, ...events: RunEvent[]): RunView => events.reduce(applyEvent, view);

describe('a run on screen', () => {
  it('shows the last progress', () => {
    const progress = {
      ...envelope,
      type: 'progress' as const,
      phase: 'synthesis',
      step: 2,
      totalSteps: 4,
      fraction: 0.3,
    };
    const { details } = after(viewWith([]), progress, { ...progress, step: 3, remainingMs: 900 });
    assert.deepEqual(details.progress, {
      phase: 'synthesis',
      step: 3,
      totalSteps: 4,
      fraction: 0.3,
      remainingMs: 900,
      atMs: 5,
    });
  });

  it('grows its curves and says so', () => {
    const points = [
      { name: 'loss', step: 0, value: 2 },
      { name: 'loss', step: 1, value: 1 },
      { name: 'other', step: 0, value: 7 },
    ];
    const view = after(viewWith([]), { ...envelope, type: 'metrics', points });
    assert.deepEqual([...view.series.keys()], ['loss', 'other']);
    assert.deepEqual(view.series.get('loss')?.view(), [
      [0, 2],
      [1, 1],
    ]);
    assert.equal(view.seriesVersion, 1);
  });

  it('puts an artifact in the place of the one that had its name', () => {
    const view = after(
      viewWith([artifact('a', '1'), artifact('b', '2')]),
      { ...envelope, type: 'artifact', artifact: artifact('a', '3') },
      { ...envelope, type: 'artifact', artifact: artifact('c', '4') },
    );
    assert.deepEqual(
      view.details.record.artifacts.map(({ name, sha256 }) => name + sha256[0]),
      ['a3', 'b2', 'c4'],
    );
  });

  it('says a log line once, even when it comes with the history and as an event', () => {
    const line: RunEvent = { ...envelope, type: 'log', level: 'info', message: 'hello' };
    assert.equal(after(viewWith([]), line, line, { ...line, seq: 2 }).logs.length, 2);
  });
});
