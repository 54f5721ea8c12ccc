import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const lister = new URL('./testing/list-modules.ts', import.meta.url).href;

/** What a command line loads, as URLs. */
function loadedBy(t: TestContext, ...argv: readonly string[]): readonly string[] {
  const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-cli-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  const { status, output } = spawnSync(process.execPath, ['--import', lister, main, ...argv], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  assert.equal(status, 0, output[2] ?? '');
  return (output[3] ?? '').split('\n').filter((url) => url !== '');
}

/** Where the time of a start goes: native libraries, the ONNX code, charts. Starting processes takes none of them. */
const slow =
  /onnxruntime|protobuf|\/d3-|\/sharp\/|core\/(onnx|autodiff|train|data\/(?!assets)|report\/html)|core\/runtime\/(?!child-process)/;

describe('a command that computes nothing', () => {
  for (const argv of [['--help'], ['help', 'data-impressions'], ['--version'], ['methods']]) {
    it(`does not wait for what computing needs, nor for the history: ${argv.join(' ')}`, (t) => {
      const loaded = loadedBy(t, ...argv);
      assert.ok(loaded.some((url) => url.endsWith('cli/program.ts')));
      assert.deepEqual(
        loaded.filter((url) => slow.test(url) || url.includes('better-sqlite3')),
        [],
      );
    });
  }

  it('does not wait for what computing needs: list', (t) => {
    const loaded = loadedBy(t, 'list');
    assert.ok(loaded.some((url) => url.includes('better-sqlite3')));
    assert.deepEqual(
      loaded.filter((url) => slow.test(url)),
      [],
    );
  });
});
