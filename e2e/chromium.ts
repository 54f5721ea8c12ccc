import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The system's Chromium with an empty profile. A machine without one fails the test: nothing is skipped. */
export async function openChromium(): Promise<BrowserContext> {
  const asked = process.env['PALIMPSEST_CHROMIUM'];
  const executablePath = asked ?? candidates.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error(`No Chromium: looked for ${candidates.join(', ')}. Set PALIMPSEST_CHROMIUM or install chromium.`);
  }
  return chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), 'palimpsest-e2e-')), {
    executablePath,
    headless: true,
    viewport: { width: 1440, height: 900 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
