import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import type { RunEvent } from '../contract/run.ts';
import { startJob } from '../jobs/client.ts';
import { toyRegistry } from '../jobs/testing/toy-method.ts';
import { tickingClock, toyInProcess, toyRequest, toyWorkspace } from '../jobs/testing/toy-workspace.ts';
import { ui } from '../methods/define.ts';
import { makeReport } from './report-files.ts';

describe('a report', () => {
  it('has the warnings of its run, and reads no event of another kind to find them', async (t) => {
    const workspace = toyWorkspace(t);
    const runId = workspace.createRun(toyRequest({ behaviour: 'nan-result' }));
    await startJob({ store: workspace, runId, now: tickingClock(), launch: toyInProcess() }).done;
    const read = new Set<RunEvent['type']>();
    const reader: typeof workspace = {
      ...workspace,
      events(run, range) {
        const events = workspace.events(run, range);
        for (const { type } of events) read.add(type);
        return events;
      },
    };
    const spec = toyRegistry['walk']?.spec;
    assert.ok(spec);
    const { facts } = makeReport(reader, runId, spec);
    assert.match(facts.warnings.join(), /"distance" is NaN/);
    assert.deepEqual([...read], ['log']);
  });

  it('says how pixels were given to a model file', async (t) => {
    const workspace = toyWorkspace(t);
    const path = join(workspace.dir, 'net.onnx');
    writeFileSync(path, 'net');
    const plain = { kind: 'file', path } as const;
    const normalised = { ...plain, normalisation: { mean: [0.1307], std: [0.3081] } };
    const runId = workspace.createRun({ ...toyRequest(), models: { teacher: plain, student: normalised } });
    await startJob({ store: workspace, runId, now: tickingClock(), launch: toyInProcess() }).done;
    const spec = toyRegistry['walk']?.spec;
    assert.ok(spec);
    assert.deepEqual(
      makeReport(workspace, runId, spec).facts.models.map(({ note }) => note),
      [
        'pixels as they are: no mean and standard deviation were told or found',
        'pixels normalised by mean 0.1307 and standard deviation 0.3081',
      ],
    );
  });

  it('names the file of a parameter as its command does', async (t) => {
    const workspace = toyWorkspace(t);
    const request = toyRequest();
    const costs = join(dirname(workspace.dir), 'tables', 'costs.csv');
    const runId = workspace.createRun({ ...request, params: { ...request.params, costs } });
    const spec = toyRegistry['walk']?.spec;
    assert.ok(spec);
    const isFile = z.string().default('').register(ui, { title: 'Costs', isFile: true });
    const { facts } = makeReport(workspace, runId, { ...spec, params: z.strictObject({ costs: isFile }) });
    assert.equal(facts.parameters.find(({ name }) => name === 'costs')?.value, join('tables', 'costs.csv'));
    assert.match(facts.command, / --costs tables.costs\.csv /);
  });

  it('gives no hash for an architecture, which is no file', async (t) => {
    const workspace = toyWorkspace(t);
    const student = { kind: 'zoo', architecture: 'lenet5' } as const;
    const runId = workspace.createRun({ ...toyRequest(), models: { student } });
    await startJob({ store: workspace, runId, now: tickingClock(), launch: toyInProcess() }).done;
    const spec = toyRegistry['walk']?.spec;
    assert.ok(spec);
    assert.match(workspace.getRun(runId).environment?.models['student'] ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(
      makeReport(workspace, runId, spec).facts.models.map(({ name, sha256 }) => [name, sha256]),
      [['lenet5', null]],
    );
  });
});
