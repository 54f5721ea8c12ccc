import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { leftovers, shaOf } from './testing/results.ts';
import { spawnCli } from './testing/spawn-cli.ts';

const text = (value: unknown): string => String(value);

describe('the command line as a process', () => {
  it('prints one JSON object with what came out, and progress on standard error', async (t) => {
    const cli = spawnCli(t);
    const { code, result, err } = await cli.json('run', 'walk', '--steps', '20', '--seed', '4');
    assert.equal(code, 0);
    assert.equal(result['state'], 'succeeded');
    assert.match(text(result['runId']), /^\d{8}-\d{6}-\w{4}$/);
    assert.ok(typeof result['durationMs'] === 'number');
    assert.deepEqual(Object.keys(result['metrics'] ?? {}), ['distance', 'longest']);
    const artifacts = result['artifacts'] as readonly { path: string; sha256: string; mediaType: string }[];
    for (const artifact of artifacts) assert.ok(existsSync(artifact.path), artifact.path);
    assert.match(err, /100% walk: step 20 of 20/);
    assert.ok(!err.includes('\u001b'));
    assert.deepEqual(leftovers(cli.folder), []);
  });

  it('tells a second writer of a workspace that it is busy, while readers go on', async (t) => {
    const cli = spawnCli(t);
    const running = cli.start('run', 'walk', '--behaviour', 'hangs');
    await running.said('Half way');
    const { code, err } = await cli.run('run', 'walk');
    assert.equal(code, 7);
    assert.match(err, /\[WORKSPACE_BUSY\]\nhint: /);
    assert.match((await cli.run('list')).out, /running +walk/);
    running.signal('SIGKILL');
    await running.ended;
  });

  it('says how to go on after the job process died', async (t) => {
    const { code, err } = await spawnCli(t).run('run', 'walk', '--behaviour', 'exits');
    assert.match(err, /\[JOB_CRASHED\]\nhint: .*palimpsest resume/);
    assert.equal(code, 9);
  });
});

describe('a disk that runs full', () => {
  it('stops a run with a coded error, and the run goes on once there is space', async (t) => {
    const cli = spawnCli(t);
    const argv = ['run', 'walk', '--steps', '20000', '--behaviour', 'fast', '--json'];
    // No file of this process grows beyond 150 to 300 KiB; what writes more is refused as on a full disk.
    const { code, out, err } = await cli.startBelow(300, ...argv).ended;
    assert.equal(code, 7, err);
    assert.match(err, /The workspace \S+ cannot be used: .* \[WORKSPACE_UNUSABLE\]\nhint: .+resumed afterwards/);
    const { runId, state } = JSON.parse(out) as Record<string, unknown>;
    assert.equal(state, 'interrupted');
    assert.deepEqual(leftovers(cli.folder), []);
    const resumed = await cli.json('resume', text(runId));
    assert.deepEqual([resumed.code, resumed.result['state']], [0, 'succeeded']);
  });
});

describe('a reader that goes away', () => {
  it('ends a command without a complaint', async (t) => {
    const cli = spawnCli(t);
    const running = cli.start('help', 'toy-count');
    running.closePipe('stdout');
    const { code, err } = await running.ended;
    assert.deepEqual([code, err], [0, '']);
  });

  it('does not end a run, whose result is in the history', async (t) => {
    const cli = spawnCli(t);
    const running = cli.start('run', 'walk', '--steps', '20');
    running.closePipe('stdout');
    running.closePipe('stderr');
    assert.equal((await running.ended).code, 0);
    assert.match((await cli.run('list')).out, /succeeded +walk/);
  });
});

describe('Ctrl-C', () => {
  it('stops a run that goes on later to the result of one that was never stopped', async (t) => {
    const cli = spawnCli(t);
    const running = cli.start('run', 'walk', '--steps', '600', '--json');
    await running.said('walk: step');
    // As it comes through npx: from the terminal, and once more from npm.
    running.signal('SIGINT');
    running.signal('SIGINT');
    const stopped = await running.ended;
    assert.equal(stopped.code, 130, stopped.err);
    assert.doesNotMatch(stopped.err, /warning/);
    const result = JSON.parse(stopped.out) as Record<string, unknown>;
    const runId = text(result['runId']);
    assert.equal(result['state'], 'cancelled');
    assert.match(stopped.err, new RegExp(`Stopping. The run is kept; go on with: palimpsest resume ${runId}`));
    const resumed = await cli.json('resume', runId);
    assert.equal(resumed.code, 0, resumed.err);
    const straight = await cli.json('run', 'walk', '--steps', '600');
    assert.equal(shaOf(resumed.result, 'last'), shaOf(straight.result, 'last'));
    assert.deepEqual(resumed.result['metrics'], straight.result['metrics']);
  });

  for (const name of ['SIGTERM', 'SIGHUP'] as const) {
    it(`is what ${name} is taken for`, async (t) => {
      const cli = spawnCli(t);
      const running = cli.start('run', 'walk', '--steps', '100000', '--json');
      await running.said('walk: step');
      running.signal(name);
      const { code, out, err } = await running.ended;
      assert.equal(code, 130, err);
      const { runId, state } = JSON.parse(out) as Record<string, unknown>;
      assert.equal(state, 'cancelled');
      assert.match((await cli.run('show', text(runId))).out, /State +cancelled, can be resumed/);
    });
  }

  it('pressed twice ends a run that does not answer, and keeps it', async (t) => {
    const cli = spawnCli(t);
    const running = cli.start('run', 'walk', '--behaviour', 'hangs');
    await running.said('Half way');
    running.signal('SIGINT');
    await running.said('Stopping');
    // Later than what is taken for the same press.
    setTimeout(() => running.signal('SIGINT'), 500);
    const { code, err } = await running.ended;
    assert.equal(code, 130, err);
    assert.match(err, /go on with: palimpsest resume/i);
    assert.match((await cli.run('list')).out, /(cancelled|interrupted)/);
  });
});
