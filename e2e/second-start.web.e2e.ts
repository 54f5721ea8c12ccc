import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { stage } from './stand-in/electron.ts';
import { runMain } from './stand-in/start.ts';

it('an application that is started a second time ends at once and leaves the workspace alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const workspace = join(folder, 'workspace');
  stage.hasLock = false;
  runMain({ workspace });
  await stage.hasQuit.promise;
  assert.deepEqual([stage.windows, stage.said, stage.ipc.size], [[], [], 0]);
  assert.equal(existsSync(workspace), false);
});
