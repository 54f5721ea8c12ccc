import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { errorCodes } from '../core/base/errors.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { runProgram } from './program.ts';
import { noteThrown } from './report-error.ts';
import { closest, didYouMean } from './suggest.ts';
import { columnsOf, processTerminal, wrap } from './terminal.ts';
import { fakeTerminal } from './testing/call-program.ts';

describe('exit codes', () => {
  it('give every error code a code other than 0, and are all in the documentation', () => {
    for (const code of errorCodes) assert.ok(exitCodeOf(code) > 0, code);
    const docs = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8').replaceAll(/ +/g, ' ');
    for (const { code, meaning } of Object.values(exitCodes))
      assert.ok(docs.includes(`| ${code} | ${meaning} |`), meaning);
  });
  it('are distinct', () => {
    const codes = Object.values(exitCodes).map(({ code }) => code);
    assert.equal(new Set(codes).size, codes.length);
  });
});

describe('suggestions', () => {
  it('are near misses only, best first', () => {
    assert.deepEqual(closest('setps', ['seed', 'steps', 'scales']), ['steps']);
    assert.deepEqual(closest('size', ['step-size', 'seed']), ['step-size']);
    assert.equal(didYouMean('xyz', ['steps', 'seed']), undefined);
    assert.equal(didYouMean('Steps', ['steps'], '--'), 'Did you mean --steps?');
  });
});

describe('what a thrown error looks like', () => {
  it('is its message, code and hint; the stack and its causes come with --debug only', () => {
    const thrown = new Error('outer', { cause: new Error('inner') });
    const plain = fakeTerminal();
    noteThrown(plain, thrown, { debug: false });
    assert.match(plain.err, /^error: outer \[INTERNAL\]\nhint: .+\n$/);
    const debug = fakeTerminal();
    noteThrown(debug, thrown, { debug: true });
    assert.match(debug.err, /Error: inner\n\s+at /);
  });
});

describe('text for a terminal', () => {
  it('is wrapped at spaces', () => {
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('averylongword a', 5), ['averylongword', 'a']);
  });
  it('stands in columns, numbers at the right', () => {
    const rows = [
      ['a', '10', 'x'],
      ['bb', '9', ''],
    ];
    assert.deepEqual(columnsOf(rows, [1]), ['a   10  x', 'bb   9']);
  });
  it('has no colour with NO_COLOR or without a terminal', () => {
    const stream = (isTTY: boolean): NodeJS.WriteStream =>
      Object.create(process.stdout, { isTTY: { value: isTTY } }) as NodeJS.WriteStream;
    const hasColour = (env: NodeJS.ProcessEnv, isTTY: boolean): boolean =>
      processTerminal(env, stream(isTTY), stream(isTTY)).hasColour;
    assert.equal(hasColour({}, true), true);
    assert.equal(hasColour({ NO_COLOR: '1' }, true), false);
    assert.equal(hasColour({ NO_COLOR: '' }, true), true);
    assert.equal(hasColour({ TERM: 'dumb' }, true), false);
    assert.equal(hasColour({}, false), false);
  });
  it('has no colour with --no-color, wherever it stands', async () => {
    const said = async (...argv: readonly string[]): Promise<string> => {
      const terminal = fakeTerminal({ hasColour: true });
      const surroundings = { terminal, cwd: '/', env: {}, now: () => 0, elapsed: () => 0, random: () => 0, specs: [] };
      assert.equal(await runProgram(argv, { ...surroundings, onInterrupt: () => () => {} }), exitCodes.usage.code);
      return terminal.err;
    };
    assert.ok((await said('nothing')).includes('\u001b['));
    assert.ok(!(await said('--no-color', 'nothing')).includes('\u001b['));
    assert.ok(!(await said('list', 'all', '--no-color')).includes('\u001b['));
  });
});
