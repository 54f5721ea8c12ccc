import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron as electron } from 'playwright-core';
import { changeWorkspace, listen, type Opener } from './open.ts';

/** The window of Electron itself, its program at `executablePath`, on the application in `root`. */
export const openElectronAt =
  (executablePath: string, root: string): Opener =>
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
    const workspace = join(folder, 'workspace');
    const env = { ...process.env, PALIMPSEST_WORKSPACE: workspace };
    const args = [root, `--user-data-dir=${join(folder, 'user')}`];
    const application = await electron.launch({ executablePath, args, env });
    const page = await application.firstWindow();
    return {
      surface: 'application',
      page,
      workspace,
      complaints: listen(page),
      async nextSaved() {
        const path = join(folder, 'saved');
        const name = await application.evaluate(
          async ({ session }, into) =>
            new Promise<string>((resolve) => {
              session.defaultSession.once('will-download', (_event, item) => {
                item.setSavePath(into);
                item.once('done', () => resolve(item.getFilename()));
              });
            }),
          path,
        );
        return { name, bytes: readFileSync(path) };
      },
      async goElsewhere() {
        const elsewhere = join(folder, 'elsewhere');
        await application.evaluate(({ dialog }, chosen) => {
          dialog.showOpenDialog = async () => Promise.resolve({ canceled: false, filePaths: [chosen] });
        }, elsewhere);
        await changeWorkspace(page, elsewhere);
      },
      async close() {
        await application.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  };
