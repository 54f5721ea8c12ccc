import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { unzipSync } from 'fflate';
import type { LinkTarget } from '../contract/bridge.ts';
import type { Environment, MetricPoint } from '../contract/run.ts';
import { storeArtifact } from '../jobs/artifacts.ts';
import { describeMachine } from '../jobs/environment.ts';
import { toyRegistry } from '../jobs/testing/toy-method.ts';
import { tickingClock, toyRequest, toyWorkspace } from '../jobs/testing/toy-workspace.ts';
import type { Workspace } from '../store/workspace.ts';
import { createLinks } from './links.ts';

const specs = Object.values(toyRegistry).map(({ spec }) => spec);

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A run that is being computed and has made these files. */
function startRun(
  workspace: Workspace,
  files: Readonly<Record<string, Uint8Array>>,
): { readonly runId: string; tell(points: readonly MetricPoint[]): void; finish(): void } {
  const runId = workspace.createRun(toyRequest());
  const jobId = workspace.createJob(runId);
  let seq = 0;
  const next = () => ({ runId, jobId, seq, atMs: seq++ });
  const environment: Environment = {
    ...describeMachine(),
    deviceAsked: 'cpu',
    deviceUsed: 'cpu',
    threads: 1,
    models: {},
    data: {},
  };
  workspace.appendEvent({ type: 'started', ...next(), environment });
  for (const [name, bytes] of Object.entries(files)) {
    const content = { bytes, mediaType: 'application/octet-stream' };
    const artifact = storeArtifact(workspace.dir, { type: 'artifact', name, title: name, content }, seq);
    workspace.appendEvent({ type: 'artifact', ...next(), artifact });
  }
  return {
    runId,
    tell: (points) => void workspace.appendEvent({ type: 'metrics', ...next(), points: [...points] }),
    finish: () => void workspace.appendEvent({ type: 'finished', ...next(), state: 'succeeded' }),
  };
}

const ticketOf = (url: string): string => url.split('/')[2] ?? '';
const mib = 2 ** 20;
const noise = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2_654_435_761) >>> 24);

describe('a link', () => {
  it('to a bundle of a run that is being computed is refused when it is asked for', async (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const { runId, finish } = startRun(workspace, {});
    await assert.rejects(links.create({ kind: 'bundle', runIds: [runId] }), { code: 'RUN_STATE' });
    finish();
    assert.match(await links.create({ kind: 'bundle', runIds: [runId] }), /palimpsest\.zip$/);
  });

  it('to curves leads to every point of them, next to each other by step', async (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const runIds = [0, 1].map((offset) => {
      const { runId, tell } = startRun(workspace, {});
      tell(Array.from({ length: 3000 }, (_, i) => ({ name: 'loss', step: 2 * i + offset, value: i / 4 })));
      return runId;
    });
    const curves = runIds.map((runId, i) => ({ runId, name: 'loss', label: i === 0 ? '=A' : 'B' }));
    const url = await links.create({ kind: 'series', title: 'compare-loss', xTitle: 'step', curves });
    assert.match(url, /compare-loss\.csv$/);
    const opened = await links.open(ticketOf(url));
    const lines = Buffer.concat([...(opened?.content.pieces() ?? [])])
      .toString()
      .split('\r\n');
    assert.deepEqual(lines.slice(0, 5), ["step,'=A,B", '0,0,', '1,,0', '2,0.25,', '3,,0.25']);
    assert.equal(lines.length, 1 + 6000 + 1);
    const unknown = [{ runId: 'no', name: 'loss', label: 'A' }];
    await assert.rejects(links.create({ kind: 'series', title: 'x', xTitle: 'step', curves: unknown }), {
      code: 'RUN_UNKNOWN',
    });
  });

  it('to the report of a method that is not here is refused when it is asked for', async (t) => {
    const workspace = toyWorkspace(t);
    const { runId } = startRun(workspace, {});
    const links = createLinks(workspace, [], tickingClock());
    await assert.rejects(links.create({ kind: 'report', runId }), { code: 'METHOD_UNKNOWN' });
  });

  const files = { student: noise(3 * mib, 1), images: noise(2 * mib + 5, 2) };
  const targets = (runId: string): readonly LinkTarget[] => [
    { kind: 'bundle', runIds: [runId] },
    { kind: 'export', runId, format: 'artifacts' },
    { kind: 'export', runId, format: 'all' },
    { kind: 'artifact', runId, name: 'student' },
  ];

  it('sends files of runs whole, in pieces that do not grow with them', async (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const { runId, finish } = startRun(workspace, files);
    finish();
    for (const target of targets(runId)) {
      const linked = await links.open(ticketOf(await links.create(target)));
      assert.ok(linked);
      const pieces = [...linked.content.pieces()];
      assert.ok(Math.max(...pieces.map(({ byteLength }) => byteLength)) <= mib);
      const bytes = Buffer.concat(pieces);
      assert.equal(bytes.byteLength, linked.content.sizeBytes);
      const sent = target.kind === 'artifact' ? { student: bytes } : unzipSync(bytes);
      const hashes = Object.values(sent).map(hashOf);
      assert.ok(hashes.includes(hashOf(files.student)), target.kind);
      assert.equal(hashes.includes(hashOf(files.images)), target.kind !== 'artifact');
    }
  });

  it('reads files while they are sent, not before, and breaks off where one has changed since', async (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const { runId, finish } = startRun(workspace, files);
    finish();
    const student = workspace.artifactPath(hashOf(files.student));
    for (const target of targets(runId)) {
      writeFileSync(student, files.student);
      const linked = await links.open(ticketOf(await links.create(target)));
      assert.ok(linked);
      writeFileSync(student, files.images);
      assert.throws(() => Buffer.concat([...linked.content.pieces()]), {
        code: 'WORKSPACE_UNUSABLE',
        message: /student/,
      });
    }
  });

  it('to a file that has changed or is gone is refused when it is asked for, by name', async (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const { runId, finish } = startRun(workspace, files);
    finish();
    const student = workspace.artifactPath(hashOf(files.student));
    for (const spoil of [() => writeFileSync(student, files.images), () => rmSync(student)]) {
      spoil();
      for (const target of targets(runId)) {
        await assert.rejects(links.create(target), {
          code: 'WORKSPACE_UNUSABLE',
          message: /"student" (has changed|is missing)/,
        });
      }
      assert.match(await links.create({ kind: 'export', runId, format: 'csv' }), /csv\.zip$/);
    }
  });

  it('that is opened after others were asked for leads to the same', async (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const { runId, finish } = startRun(workspace, files);
    finish();
    const urls: string[] = [];
    for (const target of targets(runId)) urls.push(await links.create(target));
    const names = await Promise.all(urls.map(async (url) => (await links.open(ticketOf(url)))?.fileName));
    assert.deepEqual(
      names,
      urls.map((url) => decodeURIComponent(url.split('/')[3] ?? '')),
    );
  });
});
