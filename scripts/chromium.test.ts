import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chromiumInstall, findChromium, noChromiumMessage } from './chromium.mjs';

const has =
  (...paths: readonly string[]) =>
  (path: string): boolean =>
    paths.includes(path);

describe('Chromium', () => {
  it('is the one that is named, else the one of the system', () => {
    const env = { PALIMPSEST_CHROMIUM: '/opt/chrome' };
    const exists = has('/opt/chrome', '/usr/bin/chromium');
    assert.equal(findChromium({ env, platform: 'linux', exists }), '/opt/chrome');
    assert.equal(findChromium({ env: {}, platform: 'linux', exists }), '/usr/bin/chromium');
  });

  it('is not another one when the one that is named is missing', () => {
    const env = { PALIMPSEST_CHROMIUM: '/opt/none' };
    assert.equal(findChromium({ env, platform: 'linux', exists: has('/usr/bin/chromium') }), undefined);
    assert.match(noChromiumMessage({ env, platform: 'linux' }), /names \/opt\/none/);
  });

  it('is installed by root with apt, and by nobody else', () => {
    const root = { platform: 'linux', isRoot: true, hasApt: true, env: {} };
    assert.deepEqual(
      chromiumInstall(root)?.map(([program]) => program),
      ['apt-get', 'apt-get'],
    );
    for (const other of [
      { isRoot: false },
      { hasApt: false },
      { platform: 'darwin' },
      { env: { PALIMPSEST_CHROMIUM: '/opt/none' } },
    ]) {
      assert.equal(chromiumInstall({ ...root, ...other }), undefined);
    }
  });

  it('that cannot be had is a reason with a way out', () => {
    const message = noChromiumMessage({ env: {}, platform: 'linux' });
    assert.match(message, /apt-get install chromium/);
    assert.match(message, /PALIMPSEST_CHROMIUM/);
  });
});
