import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { findChromium, noChromiumMessage } from '../scripts/chromium.mjs';

/** For a browser whose user has texts written twice as large as usual. */
export const textOfTwiceTheSize = ['--blink-settings=defaultFontSize=32'];

/** The system's Chromium with an empty profile. A machine without one fails the test: nothing is skipped. */
export async function openChromium(
  wrap = (program: string): string => program,
  extra: readonly string[] = [],
): Promise<BrowserContext> {
  const machine = { env: process.env, platform: process.platform };
  const executablePath = findChromium(machine);
  if (executablePath === undefined) throw new Error(noChromiumMessage(machine));
  return chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), 'palimpsest-e2e-')), {
    executablePath: wrap(executablePath),
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
      // Chromium's own errands; what a page asks for is seen as its request.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--disable-domain-reliability',
      '--no-pings',
      ...extra,
    ],
  });
}
