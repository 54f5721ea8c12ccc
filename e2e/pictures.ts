/**
 * Pictures of every page, light and dark, into docs/images or the folder named: node e2e/pictures.ts [FOLDER]. They are to
 * be looked at, and the README shows some of them.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openServed } from './open.ts';
import { visitPages } from './pages.ts';

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../docs/images/', import.meta.url)));
mkdirSync(folder, { recursive: true });
const opened = await openServed();
try {
  const { page } = opened;
  page.setDefaultTimeout(120_000);
  for (const { name, show } of await visitPages(page)) {
    if (name === 'unknown') continue;
    await show();
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.evaluate(
        async () => new Promise((resolveFrame) => requestAnimationFrame(() => resolveFrame(undefined))),
      );
      await page.screenshot({ path: join(folder, `window-${name}-${scheme}.png`), animations: 'disabled' });
    }
  }
} finally {
  await opened.close();
}
