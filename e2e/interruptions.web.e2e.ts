import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { openChromium } from './chromium.ts';
import { listen } from './open.ts';
import { serve, type Served } from './server.ts';

/** What only a server can do: more windows than one, and die under them. */
describe('a run whose server is killed under two windows', { timeout: 600_000 }, () => {
  const workspace = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
  let served: Served;
  let context: BrowserContext;
  let page: Page;
  let other: Page;

  before(async () => {
    served = await serve(workspace);
    context = await openChromium();
    page = await context.newPage();
    listen(page);
    await page.goto(served.url);
    await page.getByRole('heading', { name: 'Start', exact: true }).waitFor();
  });

  after(async () => {
    await context?.close();
    await served?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  const go = async (where: Page, place: string): Promise<void> =>
    where.getByRole('navigation').getByRole('link', { name: place, exact: true }).click();
  const step = (where: Page) => where.getByText(/^step \d+ of/);

  it('computes a run', async () => {
    await page.getByRole('link', { name: 'Change it first' }).click();
    // So many that no machine is through before it is interrupted.
    await start({ Impressions: '9000' });
    await step(page).waitFor();
  });

  it('shows a second window the same run in the middle', async () => {
    const { hash } = new URL(page.url());
    other = await context.newPage();
    listen(other);
    await go(page, 'Settings');
    await page.getByRole('button', { name: 'Make an address' }).click();
    await other.goto(await page.getByText(/#token=/).innerText());
    await other.getByRole('heading', { name: 'Start', exact: true }).waitFor();
    await go(other, 'Runs');
    await other.getByRole('gridcell', { name: 'Running' }).waitFor();
    for (const each of [other, page]) {
      await each.evaluate((to) => {
        location.hash = to;
      }, hash);
      await step(each).waitFor();
    }
  });

  it('goes on in open windows when the server was killed and started again', async () => {
    const { port } = new URL(served.url);
    await served.kill();
    await page.getByText(/does not answer/).waitFor();
    served = await serve(workspace, { port: Number(port) });
    await page.getByText(/does not answer/).waitFor({ state: 'detached' });
    await page.getByText('Interrupted', { exact: true }).first().waitFor();
    await other.getByText('Interrupted', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await step(other).waitFor();
  });

  it('shows in both windows that it was cancelled, and a shorter one from its end to the report', async () => {
    await page.getByRole('button', { name: 'Cancel' }).click();
    for (const each of [page, other]) await each.getByText('Cancelled', { exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'Run again with changes' }).click();
    await start({ Impressions: '60', 'Synthesis steps': '20', 'Distillation epochs': '2' });
    await page.getByText('Done', { exact: true }).first().waitFor();
    await go(other, 'Runs');
    await other.getByRole('gridcell', { name: 'Done' }).click();
    const figures = async (where: Page): Promise<string> => {
      await where.getByText('Targets attained').first().waitFor();
      return ((await where.locator('main').innerText()).match(/\d+(\.\d+)?\s?(%|nat)/g) ?? []).join();
    };
    assert.notEqual(await figures(page), '');
    assert.equal(await figures(page), await figures(other));
    await page.getByRole('link', { name: 'Report' }).click();
    await page.frameLocator('iframe[title=Report]').getByRole('heading', { level: 1 }).waitFor();
  });

  async function start(fields: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Start', exact: true }).click();
  }
});
