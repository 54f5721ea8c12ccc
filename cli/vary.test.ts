import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { callProgram } from './testing/call-program.ts';
import { shaOf } from './testing/results.ts';
import { spawnCli } from './testing/spawn-cli.ts';

interface GroupResult {
  readonly groupId?: string;
  readonly command?: string;
  readonly runs?: readonly (Record<string, unknown> & { readonly settings: Record<string, string> })[];
  readonly requests?: readonly { readonly params: Record<string, unknown>; readonly data: Record<string, unknown> }[];
  readonly error?: { readonly message: string };
}

describe('several values on the command line', () => {
  it('make a run for each combination, in one group, which its command makes again', async (t) => {
    const cli = callProgram(t);
    const { code, result } = await cli.json(
      'run',
      'walk',
      '--steps',
      '7',
      '--vary',
      'seed=0..1',
      '--vary',
      'steps=5;9',
    );
    const { runs = [], groupId, command = '' }: GroupResult = result;
    assert.equal(code, 0);
    assert.deepEqual(
      runs.map(({ settings, state }) => [settings['seed'], settings['steps'], state]),
      [
        ['0', '5', 'succeeded'],
        ['0', '9', 'succeeded'],
        ['1', '5', 'succeeded'],
        ['1', '9', 'succeeded'],
      ],
    );
    assert.match(groupId ?? '', /^[0-9a-f]{12}$/);
    assert.match(command, /^palimpsest run walk --threads \d+ --vary seed=0,1 --vary steps=5,9$/);
    const again: GroupResult = (await cli.json(...command.split(' ').slice(1))).result;
    assert.deepEqual(
      again.runs?.map((run) => shaOf(run, 'last')),
      runs.map((run) => shaOf(run, 'last')),
    );
  });

  it('are shown with what each run set and found, and how to make them again', async (t) => {
    const cli = callProgram(t);
    const { out, err } = await cli.run('run', 'walk', '--steps', '5', '--vary', 'seed=3,4');
    assert.match(err, /Run 2 of 2, \S+: .*, seed 4/);
    assert.match(out, /^RUN +SEED +STATE +TIME +DISTANCE\n/);
    assert.match(out, /\n\S+ +4 +succeeded /);
    assert.match(out, /\nAgain {2}palimpsest run walk .*--vary seed=3,4\n$/);
  });

  it('go on when one of them fails, and end with its exit code', async (t) => {
    const cli = callProgram(t);
    const { code, result } = await cli.json('run', 'walk', '--steps', '5', '--vary', 'behaviour=throws,good');
    const { runs = [] }: GroupResult = result;
    assert.deepEqual(
      runs.map(({ state }) => state),
      ['failed', 'succeeded'],
    );
    assert.equal(code, 4);
  });

  it('stop together at Ctrl-C, and go on together', async (t) => {
    const cli = spawnCli(t);
    const running = cli.start('run', 'walk', '--steps', '60', '--step-ms', '20', '--vary', 'seed=1..3', '--json');
    await running.said('%');
    running.signal('SIGINT');
    const { code, out } = await running.ended;
    const { runs = [] }: GroupResult = JSON.parse(out);
    assert.equal(code, 130);
    assert.deepEqual(
      runs.map(({ state }) => state),
      ['cancelled', 'cancelled', 'cancelled'],
    );
    const again = await cli.json('resume', ...runs.map(({ runId }) => String(runId)));
    const { runs: resumed = [] }: GroupResult = again.result;
    assert.deepEqual([again.code, resumed.map(({ state }) => state).join()], [0, 'succeeded,succeeded,succeeded']);
  });

  it('are data sets, lists, switches and sizes of data, too', async (t) => {
    const cli = callProgram(t);
    for (const name of ['a', 'b']) mkdirSync(join(cli.folder, name));
    const first = ['run', 'toy-count', '--dry-run', '--vary', 'test=a;b', '--vary', 'scales=1,0.1; 2'];
    const { result } = await cli.json(...first, '--vary', 'test-limit=5,7', '--vary', 'is-loud=true,false');
    const { requests = [] }: GroupResult = result;
    assert.equal(requests.length, 2 * 2 * 2 * 2);
  });

  it('change together where they are written as JSON', async (t) => {
    const cli = callProgram(t);
    const vary = '[{"seed":1,"steps":4},{"seed":2,"no":1}]';
    assert.match((await cli.run('run', 'toy-count', '--dry-run', '--vary', vary)).err, /no flag --no to vary/);
    const { result } = await cli.json('run', 'toy-count', '--dry-run', '--vary', '[{"seed":1,"steps":4},{"seed":2}]');
    const { requests = [], command }: GroupResult = result;
    assert.deepEqual(
      requests.map(({ params }) => [params['seed'], params['steps']]),
      [
        [1, 4],
        [2, 20],
      ],
    );
    assert.match(command ?? '', /--vary '\[\{/);
  });

  const bad: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no value', ['seed='], /expected at least one value of seed/],
    ['no name', ['3,4'], /expected NAME=VALUE;VALUE, got "3,4"/],
    ['a flag that is not there', ['sede=1'], /there is no flag --sede to vary[^]*Did you mean seed/],
    ['a flag about the command', ['json=true'], /there is no flag --json to vary/],
    ['a value that is not allowed', ['steps=1,x'], /--steps: expected a whole number .* got "x"/],
    ['the same flag twice', ['seed=1', 'seed=2'], /--seed is varied twice/],
    ['too many runs', ['seed=0..99', 'steps=1..10'], /these are 1000 runs, expected at most 500/],
    ['what is no JSON', ['[{'], /expected a JSON list of objects/],
    ['a switch that is neither on nor off', ['is-loud=maybe'], /expected true or false for is-loud/],
  ];
  for (const [what, variations, text] of bad) {
    it(`are refused: ${what}`, async (t) => {
      const flags = variations.flatMap((each) => ['--vary', each]);
      const { code, err } = await callProgram(t).run('run', 'toy-count', ...flags);
      assert.equal(code, 2);
      assert.match(err, text);
    });
  }
});
