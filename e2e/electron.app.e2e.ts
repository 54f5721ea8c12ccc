import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { _electron as electron } from 'playwright-core';
import { findElectron } from '../scripts/start-lib.mjs';
import { listen, type Opener } from './open.ts';
import { describeExample } from './specs/example.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const isRoot = process.getuid?.() === 0;
const found = findElectron(root, { env: process.env, platform: process.platform, isRoot });

const openWith =
  (executablePath: string): Opener =>
  async () => {
    const workspace = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
    const env = { ...process.env, PALIMPSEST_WORKSPACE: workspace };
    const application = await electron.launch({ executablePath, args: [root], env });
    const page = await application.firstWindow();
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
    return {
      surface: 'application',
      page,
      workspace,
      complaints: listen(page),
      async nextSaved() {
        const name = await application.evaluate(
          async ({ session }, into) =>
            new Promise<string>((resolve) => {
              session.defaultSession.once('will-download', (_event, item) => {
                item.setSavePath(`${into}/saved`);
                item.once('done', () => resolve(item.getFilename()));
              });
            }),
          folder,
        );
        return { name, bytes: readFileSync(join(folder, 'saved')) };
      },
      async close() {
        await application.close();
        await rm(workspace, { recursive: true, force: true });
      },
    };
  };

if ('binary' in found) describeExample('of Electron itself', openWith(found.binary));
else it('passes in Electron itself', { skip: found.reason }, () => undefined);
