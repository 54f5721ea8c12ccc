import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousProblems } from '../axe.ts';
import type { Opened, Opener } from '../open.ts';

/** From the start page through a small run of the example to its report and the history. */
export function describeExample(place: string, open: Opener): void {
  describe(`the window ${place}, on the real engine and a real workspace`, { timeout: 600_000 }, () => {
    let opened: Opened;
    let page: Page;

    before(async () => {
      opened = await open();
      page = opened.page;
    });

    after(async () => opened?.close());

    async function savedPdf(): Promise<Buffer> {
      await page.getByRole('button', { name: 'Export' }).click();
      const saved = opened.nextSaved();
      await page.getByRole('menuitem', { name: 'Report, PDF' }).click();
      const { name, bytes } = await saved;
      assert.match(name, /^palimpsest-.+\.pdf$/);
      return bytes;
    }

    async function printed(): Promise<Buffer> {
      const opening = page.context().waitForEvent('page');
      await page.getByRole('button', { name: 'Print or PDF' }).click();
      const alone = await opening;
      await alone.getByRole('heading', { level: 1 }).waitFor();
      const pdf = await alone.pdf({ preferCSSPageSize: true });
      await alone.close();
      return pdf;
    }

    it('shows the start page, and no token in its address', async () => {
      await page.getByRole('heading', { name: 'Start', exact: true }).waitFor();
      await page.getByRole('button', { name: 'Start the example' }).waitFor();
      assert.equal(new URL(page.url()).hash.includes('token'), false);
      const icon = await page.evaluate(() => document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href);
      assert.match(icon ?? '', /\/assets\/palimpsest-[\w-]+\.svg$/);
    });

    it('survives a reload', async () => {
      await page.reload();
      await page.getByRole('button', { name: 'Start the example' }).waitFor();
    });

    it('says what is wrong with a parameter, and refuses to start', async () => {
      await page.getByRole('link', { name: 'Change it first' }).click();
      await page.getByLabel('Impressions', { exact: true }).fill('5');
      await page.getByText('Expected a whole number from 10 to 1000000, got 5.').waitFor();
      assert.equal(await page.getByRole('button', { name: 'Start', exact: true }).isDisabled(), true);
    });

    it('starts the example with few impressions and shows its images and curves', async () => {
      await page.getByLabel('Impressions', { exact: true }).fill('60');
      await page.getByLabel('Synthesis steps', { exact: true }).fill('20');
      await page.getByLabel('Distillation epochs', { exact: true }).fill('2');
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.getByRole('img', { name: /Impressions by class/ }).waitFor();
      await page.getByRole('img', { name: /^Synthesis loss: / }).waitFor();
    });

    it('shows its results, and its report in a frame', async () => {
      await page.getByRole('link', { name: 'Report' }).click();
      const report = page.frameLocator('iframe[title=Report]');
      await report.getByRole('heading', { level: 1 }).waitFor();
      assert.match(await report.locator('main').innerText(), /impressions/i);
    });

    it('saves its report as PDF, where a browser would print it', async () => {
      const pdf = await (opened.surface === 'application' ? savedPdf() : printed());
      assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
      const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? [];
      assert.ok(pages.length >= 2, `${pages.length} pages`);
      await page.getByRole('heading', { name: 'Report', exact: true }).waitFor();
    });

    it('finds the run in the history', async () => {
      await page.getByRole('link', { name: 'Runs', exact: true }).click();
      await page.getByRole('gridcell', { name: 'Done' }).waitFor();
      await page.getByLabel('Search runs').fill('no such run');
      await page.getByText('No run fits the filter.').waitFor();
      await page.getByLabel('Search runs').fill('lenet5');
      await page.getByRole('gridcell', { name: 'Done' }).waitFor();
    });

    it('goes anywhere by Ctrl-K', async () => {
      await page.keyboard.press('Control+k');
      await page.keyboard.type('settings');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor();
    });

    it('has no serious problem for axe on the pages that differ from surface to surface', async () => {
      await page.getByRole('heading', { name: 'Workspace', exact: true }).waitFor();
      assert.deepEqual(await seriousProblems(page), []);
      await page.goBack();
      await page.getByRole('gridcell', { name: 'Done' }).click();
      await page.getByRole('link', { name: 'Report' }).click();
      await page.frameLocator('iframe[title=Report]').getByRole('heading', { level: 1 }).waitFor();
      await page.getByRole('button', { name: 'Export' }).click();
      assert.deepEqual(await seriousProblems(page), []);
      await page.keyboard.press('Escape');
    });

    it('has asked for nothing outside and logged no error', () => assert.deepEqual(opened.complaints, []));
  });
}
