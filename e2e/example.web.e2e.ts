import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLoopback, whyNoNamespace, type Loopback } from './loopback.ts';
import { openServed, openServedIn } from './open.ts';
import { describeExample } from './specs/example.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const reason = whyNoNamespace();

if (reason === undefined) {
  describe('with nothing but the loopback', () => {
    let loopback: Loopback;
    before(async () => {
      loopback = await openLoopback();
    });
    after(async () => loopback?.close());

    describeExample('in a browser', async () => openServedIn(loopback));
  });

  // Without a browser, which tries to reach its makers by itself, whatever it is told.
  it('nothing of a run has tried to leave the machine', { timeout: 120_000 }, async (t) => {
    const loopback = await openLoopback();
    const workspace = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
    t.after(async () => {
      await loopback.close();
      rmSync(workspace, { recursive: true, force: true });
    });
    const run = 'cli/main.ts run data-impressions --recipe quick --count 20 --steps 5 --epochs 1'.split(' ');
    const [program = '', ...enter] = loopback.enter;
    const child = spawn(program, [...enter, process.execPath, ...run, '--workspace', workspace], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 0, said);
    assert.equal(loopback.triedToLeave(), 0);
  });
} else {
  console.log(`Tested with the network that there is: no namespace without one can be made here (${reason}).`);
  describeExample('in a browser', openServed);
}
