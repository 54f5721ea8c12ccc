import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findElectron } from '../scripts/start-lib.mjs';
import { openElectronAt } from './open-electron.ts';
import { describeAudits } from './specs/audits.ts';
import { describeExample } from './specs/example.ts';
import { describeGroupsAndBundles } from './specs/groups-and-bundles.ts';
import { describeRunLife } from './specs/run-life.ts';
import { describeWholePath } from './specs/whole-path.ts';

/** Every specification once more, in Electron itself where its program is. */
const root = fileURLToPath(new URL('..', import.meta.url));
const isRoot = process.getuid?.() === 0;
const found = findElectron(root, { env: process.env, platform: process.platform, isRoot });

if ('binary' in found) {
  const open = openElectronAt(found.binary, root);
  describeExample('of Electron itself', open);
  describeWholePath('in Electron itself', open);
  describeGroupsAndBundles('in Electron itself', open);
  describeRunLife('in Electron itself', open);
  describeAudits('in Electron itself', open);
} else {
  it('passes in Electron itself', { skip: found.reason }, () => undefined);
}
