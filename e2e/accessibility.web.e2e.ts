import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { openServed, type Opened } from './open.ts';
import { visitPages, type Visited } from './pages.ts';

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('axe finds no serious problem', { timeout: 600_000 }, () => {
  let opened: Opened;
  let pages: readonly Visited[];

  before(async () => {
    opened = await openServed();
    pages = await visitPages(opened.page);
  });

  after(async () => opened?.close());

  for (const scheme of ['light', 'dark'] as const) {
    it(`on any page, ${scheme}`, async () => {
      await opened.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      const problems: string[] = [];
      for (const { name, show } of pages) {
        await show();
        for (const { id, impact, nodes } of await look(opened.page)) {
          if (impact !== 'serious' && impact !== 'critical') continue;
          problems.push(...nodes.slice(0, 3).map(({ html }) => `${name}: ${id} (${impact}) ${html.slice(0, 200)}`));
        }
      }
      assert.deepEqual(problems, []);
    });
  }
});

/** Evaluated by the debugger's protocol, which the page's policy does not hold. */
async function look(page: Page): Promise<readonly Finding[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const run: unknown = Reflect.get(Reflect.get(globalThis, 'axe'), 'run');
    if (typeof run !== 'function') throw new Error('axe is not there');
    const { violations } = await Reflect.apply(run, undefined, [document, { resultTypes: ['violations'] }]);
    return violations;
  });
}
