import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import type { RunRequest } from '../core/contract/run.ts';
import { catalogue } from '../core/methods/catalogue.ts';
import { commandLine } from '../core/methods/command-line.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { sweepCommand } from '../core/methods/sweep-command.ts';
import { anyRequest } from '../core/methods/testing/any-request.ts';
import { pathNamer } from '../core/service/path-names.ts';
import { parseArguments } from './arguments.ts';
import { methodFlags } from './flags.ts';
import { commandOf } from './help.ts';
import { list } from './list.ts';
import { buildRequest } from './request.ts';
import { withWorkspaceFlag } from './result.ts';
import { variedRuns } from './vary.ts';

const dir = mkdtempSync(join(tmpdir(), 'palimpsest-commands-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const inside = (name: string): string => join(dir, name);
const models = ['model.onnx', "it's 50 % of $HOME.onnx", '-dash.onnx', 'lenet5', 'bundled:x', 'a;b`c`.onnx'].map(
  inside,
);
const data = ['digits', '~', '-d', 'mit Ümlaut & "quotes"'].map(inside);
for (const path of models) writeFileSync(path, 'model');
for (const path of data) mkdirSync(path);
const architectures = ['lenet5', 'lenet5-half', 'mlp'];

/** What a shell makes of the lines: their words. */
function shellWords(lines: readonly string[]): string[][] {
  const script = lines.map((line) => `printf '%s\\0' ${line}; printf '\\0\\0'`).join('\n');
  const { stdout, status } = spawnSync('sh', { input: script, encoding: 'utf8', maxBuffer: 2 ** 26 });
  assert.equal(status, 0);
  return stdout
    .split('\0\0\0')
    .slice(0, -1)
    .map((words) => words.split('\0'));
}

/** Every combination of two or three seeds, with two models, data sets or sizes, as a form makes them. */
function crossed(spec: MethodSpec, one: fc.Arbitrary<RunRequest>): fc.Arbitrary<readonly RunRequest[]> {
  return fc.tuple(one, one, fc.uniqueArray(fc.nat(9), { minLength: 2, maxLength: 5 })).map(([first, second, seeds]) => {
    const withSeeds = (request: RunRequest): readonly RunRequest[] =>
      'seed' in spec.params.shape
        ? seeds.map((seed) => ({ ...request, params: { ...request.params, seed } }))
        : [request];
    return [first, { ...first, models: second.models }, { ...first, data: second.data }].flatMap(withSeeds);
  });
}

describe('a command that was copied from the window', () => {
  for (const spec of catalogue) {
    it(`asks for the same run of ${spec.id} again, by way of a shell`, () => {
      const requests = fc.sample(anyRequest(spec, { models, data, architectures }), { seed: 4, numRuns: 16 });
      const verb = commandOf(spec).split(' ');
      const lines = requests.map((request) => commandLine(spec, request, { nameOfPath: pathNamer(dir) }));
      for (const [i, words] of shellWords(lines).entries()) {
        assert.deepEqual(words.slice(0, verb.length), verb);
        const args = parseArguments(words.slice(verb.length), methodFlags(spec), commandOf(spec));
        const again = buildRequest(spec, args, { cwd: dir, defaultThreads: 7, architectures });
        assert.deepEqual(again, requests[i], lines[i]);
      }
    });

    it(`asks for the same group of ${spec.id} again, whatever varies in it`, () => {
      const one = anyRequest(spec, { models, data, architectures });
      const groups = fc.sample(fc.oneof(fc.array(one, { minLength: 2, maxLength: 4 }), crossed(spec, one)), {
        seed: 4,
        numRuns: 16,
      });
      const verb = commandOf(spec).split(' ');
      const lines = groups.map((requests) => sweepCommand(spec, requests, { nameOfPath: pathNamer(dir) }) ?? '');
      for (const [i, words] of shellWords(lines).entries()) {
        const flags = methodFlags(spec);
        const args = parseArguments(words.slice(verb.length), flags, commandOf(spec));
        const again = variedRuns(spec, args, flags).map((run) =>
          buildRequest(spec, run.args, { cwd: dir, defaultThreads: 7, architectures }),
        );
        assert.deepEqual(again, groups[i], lines[i]);
      }
    });
  }
});

describe('a command that names its workspace', () => {
  it('reaches the same folder by way of a shell, whatever that is called', () => {
    const names = ['plain', 'with space', "it's $HOME", 'a;b`c`', '(1)&2', '-dash', '~', 'Ümlaut "q"'];
    const lines = names.map((name) =>
      withWorkspaceFlag('palimpsest list', { cwd: dir, workspaceDir: inside(name), isUsualWorkspace: false }),
    );
    const folders = shellWords(lines).map((words) => parseArguments(words.slice(2), list.help.groups, 'list'));
    assert.deepEqual(
      folders.map((args) => args.text('workspace')),
      names,
    );
  });
});
