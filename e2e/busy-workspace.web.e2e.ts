import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { canMove } from '../core/jobs/states.ts';
import { openWorkspace } from '../core/store/workspace.ts';
import { stage } from './stand-in/electron.ts';
import { runMain } from './stand-in/start.ts';

it('an application whose workspace somebody else writes says who, and ends when nothing else is chosen', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
  const workspace = join(folder, 'workspace');
  const holder = openWorkspace(workspace, { now: Date.now, random: Math.random, canMove });
  t.after(() => {
    holder.close();
    rmSync(folder, { recursive: true, force: true });
  });
  stage.answers.push({ response: 2 });
  runMain({ workspace });
  await stage.hasQuit.promise;
  assert.deepEqual(stage.windows, []);
  assert.match(JSON.stringify(stage.said), new RegExp(`is being written by process ${process.pid}.*WORKSPACE_BUSY`));
});
