import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sarifErrors } from '../core/report/testing/sarif-schema.ts';
import { exitCodes } from './exit-codes.ts';
import { methodFlags } from './flags.ts';
import { renderHelp, type HelpPage } from './help.ts';
import { metricLines } from './result.ts';
import { callProgram, type Caller } from './testing/call-program.ts';
import { leftovers, shaOf } from './testing/results.ts';
import { toySpec } from './testing/toy-spec.ts';

const text = (value: unknown): string => String(value);
const errorOf = (result: Record<string, unknown>): { code?: string; message?: string; hint?: string } =>
  result['error'] ?? {};

describe('a run on the command line', () => {
  it('ends with metrics, the report and a command that gives the same result', async (t) => {
    const cli = callProgram(t);
    const { code, out } = await cli.run('run', 'walk', '--steps', '20', '--seed', '4', '--quiet');
    assert.equal(code, 0);
    assert.match(out, /Distance {2}\d/);
    const report = /Report {2}(\S+)/.exec(out)?.[1] ?? '';
    assert.match(readFileSync(join(cli.folder, report), 'utf8'), /^<!doctype html>/);
    const again = /Again {3}palimpsest (.+)/.exec(out)?.[1]?.split(' ') ?? [];
    const first = await cli.json('show', (await newest(cli)).runId);
    const second = await cli.json(...again);
    assert.ok(shaOf(first.result, 'last'));
    assert.equal(shaOf(second.result, 'last'), shaOf(first.result, 'last'));
  });

  it('only prints the request with --dry-run', async (t) => {
    const cli = callProgram(t);
    const { code, result } = await cli.json('run', 'walk', '--dry-run', '--threads', '1', '--device', 'cpu');
    assert.equal(code, 0);
    assert.equal(result['command'], 'palimpsest run walk --seed 0 --device cpu --threads 1');
    assert.deepEqual(readdirSync(cli.folder), []);
  });

  it('lists, shows and exports what was run', async (t) => {
    const cli = callProgram(t);
    assert.match((await cli.run('list')).out, /No runs in/);
    await cli.run('run', 'walk', '--steps', '10');
    const { runId } = await newest(cli);
    assert.match((await cli.run('list')).out, new RegExp(`${runId} +succeeded +walk .* Distance`));
    assert.match((await cli.run('list', '--state', 'failed')).out, /^No such runs in/);
    await cli.run('run', 'walk', '--steps', '10', '--seed', '1');
    assert.match((await cli.run('list', '--limit', '1')).out, /^Older runs are left out; --limit 10 shows/m);
    assert.doesNotMatch((await cli.run('list', '--limit', '2')).out, /left out/);
    const shown = (await cli.run('show', runId.slice(-4))).out;
    assert.match(shown, /Again +palimpsest run walk --steps 10/);
    assert.match(shown, /^Legs, of 5 steps\n {2}Leg +Its length\n {2}first +\d[\d.]*\n {2}second +–$/m);
    const { code, out } = await cli.run('export', runId, '-o', 'taken');
    assert.equal(code, 0, out);
    const files = readdirSync(join(cli.folder, 'taken'), { recursive: true }).map(text).sort();
    for (const file of [
      'report.html',
      'report.json',
      'report.sarif',
      'series.csv',
      'artifacts/last.bin',
      'artifacts/summary.json',
    ]) {
      assert.ok(files.includes(file), `${file} in ${files.join()}`);
    }
    const again = await cli.run('export', runId, '-o', 'taken');
    assert.equal(again.code, 2);
    assert.match(again.err, /exists already.*\[USAGE\]\nhint: /);
    assert.equal((await cli.run('export', runId, '--format', 'sarif', '-o', 'findings')).code, 0);
    const log: { version?: string } = JSON.parse(readFileSync(join(cli.folder, 'findings', 'report.sarif'), 'utf8'));
    assert.equal(log.version, '2.1.0');
    assert.deepEqual(sarifErrors(log), []);
    assert.equal((await cli.run('export', runId, '--format', 'csv', '-o', 'figures')).code, 0);
    assert.deepEqual(readdirSync(join(cli.folder, 'figures')).sort(), ['series.csv', 'tables']);
  });
});

describe('the figures of a run', () => {
  it('are shown in a line each, and what was not measured in one line after them', () => {
    const record = { metrics: { share: 0.5, total: null, other: null } };
    assert.match(metricLines(record, toySpec).join('\n'), /^ {2}Share {2}50\.0\s%\n {2}Not measured: Total, other$/);
  });
});

describe('runs that move to another workspace', () => {
  it('go as one signed file, come in once, and are refused under a key that was not expected', async (t) => {
    const cli = callProgram(t);
    await cli.run('run', 'walk', '--steps', '10', '--quiet');
    await cli.run('run', 'walk', '--steps', '12', '--quiet');
    const { result: listed } = await cli.json('list');
    const runIds = (listed['runs'] as readonly { runId: string }[]).map(({ runId }) => runId).toSorted();
    const made = await cli.json('export', ...runIds, '--bundle', '-o', 'two.zip');
    assert.deepEqual([made.code, made.result['runIds']], [0, runIds]);
    const { key } = made.result;
    assert.match(text(key), /^([0-9a-f]{4}-){7}[0-9a-f]{4}$/);
    const wrong = await cli.json('import', 'two.zip', '--workspace', 'other', '--key', '0000');
    assert.equal(wrong.code, exitCodes.data.code);
    const taken = await cli.run('import', 'two.zip', '--workspace', 'other', '--key', text(key));
    assert.match(taken.out, new RegExp(`^${runIds[0]} added\n${runIds[1]} added\nSigned by the key ${text(key)}\n$`));
    const again = await cli.json('import', 'two.zip', '--workspace', 'other');
    assert.deepEqual(
      (again.result['runs'] as readonly { outcome: string }[]).map(({ outcome }) => outcome),
      ['known', 'known'],
    );
    const [here, there] = [
      await cli.json('show', runIds[0] ?? ''),
      await cli.json('show', runIds[0] ?? '', '--workspace', 'other'),
    ];
    assert.deepEqual(there.result['metrics'], here.result['metrics']);
    assert.match((await cli.run('export', ...runIds)).err, /takes one run, got 2/);
    assert.match(
      (await cli.run('export', ...runIds, '--bundle', '-o', 'two.zip')).err,
      /There is a file .*two\.zip already/,
    );
  });
});

async function newest(cli: Caller): Promise<{ runId: string; state: string }> {
  const { result } = await cli.json('list', '--limit', '1');
  const [run] = result['runs'] as readonly { runId: string; state: string }[];
  assert.ok(run);
  return run;
}

describe('bad input', () => {
  interface Case {
    readonly name: string;
    readonly argv: readonly string[];
    readonly code: number;
    readonly message: RegExp;
    readonly hint?: RegExp;
    readonly prepare?: (folder: string) => void;
  }
  const cases: readonly Case[] = [
    { name: 'an unknown verb', argv: ['lst'], code: 2, message: /no verb "lst".*\[USAGE\]/, hint: /mean list/ },
    { name: 'a method for a verb', argv: ['walk'], code: 2, message: /no verb "walk"/, hint: /palimpsest run walk/ },
    { name: 'no method', argv: ['run'], code: 2, message: /needs METHOD/, hint: /walk/ },
    {
      name: 'an unknown method',
      argv: ['run', 'wlak', '--steps', '3'],
      code: 2,
      message: /no method "wlak".*\[METHOD_UNKNOWN\]/,
      hint: /Did you mean walk/,
    },
    { name: 'an unknown flag', argv: ['run', 'walk', '--setps', '3'], code: 2, message: /--setps/, hint: /--steps/ },
    {
      name: 'a bad value',
      argv: ['run', 'walk', '--steps', 'many'],
      code: 2,
      message: /--steps: expected a whole number above 0, got "many" \[PARAM_INVALID\]/,
    },
    { name: 'an argument too many', argv: ['list', 'all'], code: 2, message: /does not take the argument "all"/ },
    { name: 'a missing run id', argv: ['show'], code: 2, message: /needs RUN/ },
    {
      name: 'an unknown run',
      argv: ['show', 'zzzz'],
      code: 8,
      message: /no run "zzzz".*\[RUN_UNKNOWN\]/,
      hint: /no runs/,
    },
    { name: 'an unknown run to resume', argv: ['resume', 'zzzz'], code: 8, message: /no run "zzzz"/ },
    {
      name: 'a folder as a model',
      argv: ['run', 'toy-count', '--teacher', '.'],
      code: 3,
      message: /--teacher: expected an ONNX file, got a folder.*\[MODEL_UNREADABLE\]/,
    },
    {
      name: 'an empty file as a model',
      argv: ['run', 'toy-count', '--teacher', 'empty.onnx'],
      prepare: (folder) => writeFileSync(join(folder, 'empty.onnx'), ''),
      code: 3,
      message: /got an empty file/,
    },
    {
      name: 'a parameter file that is no JSON',
      argv: ['run', 'walk', '--params', 'p.json'],
      prepare: (folder) => writeFileSync(join(folder, 'p.json'), '{'),
      code: 2,
      message: /Cannot read the parameters in .*p\.json/,
      hint: /one JSON object/,
    },
    {
      name: 'a parameter file that never ends',
      argv: ['run', 'walk', '--params', '/dev/zero'],
      code: 2,
      message: /Cannot read the parameters in \/dev\/zero: expected a file/,
    },
    {
      name: 'a parameter file of two megabytes',
      argv: ['run', 'walk', '--params', 'p.json'],
      prepare: (folder) => writeFileSync(join(folder, 'p.json'), `{"steps": 3${' '.repeat(2e6)}}`),
      code: 2,
      message: /expected at most 1048576 bytes, got 2000012/,
    },
    {
      name: 'a parameter file that reaches for the prototype',
      argv: ['run', 'walk', '--params', 'p.json'],
      prepare: (folder) => writeFileSync(join(folder, 'p.json'), '{"__proto__": {"steps": 3}, "constructor": 1}'),
      code: 2,
      message: /p\.json has unknown parameters: .*constructor/,
    },
    {
      name: 'a parameter file that is nested without end',
      argv: ['run', 'walk', '--params', 'p.json'],
      prepare: (folder) => writeFileSync(join(folder, 'p.json'), `{"steps": ${'['.repeat(5e5)}`),
      code: 2,
      message: /Cannot read the parameters/,
    },
    {
      name: 'a device that is not there',
      argv: ['run', 'walk', '--device', 'cuda'],
      code: 5,
      message: /cuda.*\[DEVICE_UNAVAILABLE\]/,
    },
    {
      name: 'a workspace that is a file',
      argv: ['run', 'walk', '--workspace', 'file'],
      prepare: (folder) => writeFileSync(join(folder, 'file'), 'kept'),
      code: 7,
      message: /\[WORKSPACE_UNUSABLE\]/,
      hint: /--workspace/,
    },
    {
      name: 'a loss that becomes NaN',
      argv: ['run', 'walk', '--behaviour', 'diverges'],
      code: 6,
      message: /NaN at step 6; last finite value .*\[NUMERIC_DIVERGED\]/,
    },
  ];
  for (const { name, argv, code, message, hint, prepare } of cases) {
    it(`gives a coded error and no stack: ${name}`, async (t) => {
      const cli = callProgram(t);
      prepare?.(cli.folder);
      const ended = await cli.run(...argv);
      assert.match(ended.err, message);
      if (hint) assert.match(ended.err, hint);
      assert.doesNotMatch(ended.err, /\n\s+at /);
      assert.equal(ended.out, '');
      assert.equal(ended.code, code);
      assert.deepEqual(leftovers(cli.folder), []);
    });
  }

  it('is one JSON object with the error under --json, before and after the start', async (t) => {
    const cli = callProgram(t);
    const refused = await cli.json('run', 'walk', '--steps', '0');
    assert.deepEqual(
      { ...refused.result, error: errorOf(refused.result).code },
      {
        runId: null,
        state: 'failed',
        metrics: {},
        artifacts: [],
        durationMs: 0,
        error: 'PARAM_INVALID',
      },
    );
    const failed = await cli.json('run', 'walk', '--behaviour', 'throws');
    assert.equal(failed.code, 4);
    assert.equal(failed.result['state'], 'failed');
    assert.ok(failed.result['runId']);
    assert.equal(errorOf(failed.result).code, 'DATA_UNSUITABLE');
  });

  it('refuses to resume a finished run', async (t) => {
    const cli = callProgram(t);
    await cli.run('run', 'walk', '--steps', '5');
    const { runId } = await newest(cli);
    const { code, result } = await cli.json('resume', runId);
    assert.equal(code, 8);
    assert.equal(errorOf(result).code, 'RUN_STATE');
    assert.match(
      errorOf(result).message ?? '',
      /cannot be resumed: expected one that was stopped, got state "succeeded"/,
    );
    assert.deepEqual([result['runId'], result['state']], [runId, 'succeeded']);
    assert.equal((await newest(cli)).state, 'succeeded');
  });
});

describe('help', () => {
  it('begins with examples and lists every verb', async (t) => {
    const cli = callProgram(t);
    const { code, out } = await cli.run('--help');
    assert.equal(code, 0);
    assert.ok(out.indexOf('Examples') < out.indexOf('Verbs'));
    for (const verb of ['run METHOD', 'resume RUN', 'list', 'show RUN', 'export RUN', 'doctor', 'methods']) {
      assert.ok(out.includes(`\n  ${verb}`), verb);
    }
  });
  it('of a method is the same from run --help and help METHOD, and shows its flags', async (t) => {
    const cli = callProgram(t);
    const { out } = await cli.run('run', 'toy-count', '--help');
    assert.equal((await cli.run('help', 'toy-count')).out, out);
    assert.match(out, /--step-size NUMBER/);
    assert.match(out, /--\[no-\]is-loud/);
    assert.ok(out.indexOf('--steps') < out.indexOf('Advanced parameters'));
    assert.ok(out.indexOf('Advanced parameters') < out.indexOf('--scales'));
  });
  it('of every verb has an example', async (t) => {
    const cli = callProgram(t);
    for (const verb of ['resume', 'list', 'show', 'export', 'doctor', 'methods', 'run']) {
      assert.match((await cli.run('help', verb)).out, /Examples\n {2}# .+\n {2}palimpsest /, verb);
    }
  });
  it('says what the exit codes mean', async (t) => {
    const { out } = await callProgram(t).run('--help');
    for (const { code } of Object.values(exitCodes)) assert.match(out, new RegExp(`^ {2}${code} +\\S`, 'm'));
  });
  it('fits the terminal, whose width only words and commands to copy exceed', () => {
    const [flag] = methodFlags(toySpec).flatMap(({ flags }) => flags.filter(({ name }) => name === 'test-format'));
    assert.ok(flag);
    const page: HelpPage = {
      title: 'palimpsest verb: what it does, said in more words than fit into one line of a phone.',
      usage: ['palimpsest verb MODEL [--of WHAT] [--wrt WHAT] [--order 1|2] -o OUT.onnx'],
      examples: [['an example', 'palimpsest verb']],
      groups: [{ title: 'Flags', flags: [flag] }],
      end: { title: 'Exit codes', entries: [['70', 'something went wrong that should not have gone wrong']] },
    };
    for (const columns of [40, 63, 64, 80, 200]) {
      const lines = renderHelp(page, columns).split('\n');
      for (const line of lines) assert.ok(line.length <= Math.min(columns, 100), `${columns}: ${line}`);
    }
    assert.match(
      renderHelp(page, 40),
      /--test-format auto\|idx\|\n {4}image-folder\|npz\|\S+\n {6}How its files are read/,
    );
    assert.match(renderHelp(page, 80), /\n {2}70 {24}something/);
  });
  it('prints the version', async (t) => {
    assert.match((await callProgram(t).run('--version')).out, /^\d+\.\d+\.\d+\n$/);
  });
});
