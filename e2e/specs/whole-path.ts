import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { Opened, Opener } from '../open.ts';

/** Cancel and resume, run again with changes, compare, and files that are wrong. */
export function describeStopAndCompare(place: string, open: Opener): void {
  describe(`runs that are stopped, taken up again and compared, ${place}`, { timeout: 600_000 }, () => {
    let opened: Opened;
    let page: Page;

    before(async () => {
      opened = await open();
      page = opened.page;
      await page.getByRole('button', { name: 'Start the example' }).waitFor();
    });

    after(async () => opened?.close());

    async function startRun(fields: Readonly<Record<string, string>>): Promise<void> {
      for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.getByRole('button', { name: 'Cancel' }).waitFor();
    }

    it('stops a run in the middle, keeps it across a reload, and resumes it to its end', async () => {
      await page.getByRole('link', { name: 'Change it first' }).click();
      await startRun({ Impressions: '400', 'Synthesis steps': '60', 'Distillation epochs': '2' });
      await page.getByText(/^step \d+ of/).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByText('Cancelled', { exact: true }).waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByText('Done', { exact: true }).waitFor();
      await page.getByText('Targets attained').first().waitFor();
    });

    it('asks again with changes and shows both next to each other', async () => {
      await page.getByRole('link', { name: 'Run again with changes' }).click();
      assert.equal(await page.getByLabel('Impressions', { exact: true }).inputValue(), '400');
      await startRun({ Impressions: '40', Seed: '7' });
      await page.getByText('Done', { exact: true }).waitFor();
      await page.getByRole('link', { name: 'Runs', exact: true }).click();
      await page.getByRole('checkbox', { name: 'Select all rows' }).check();
      await page.getByRole('button', { name: 'Compare 2' }).click();
      await page.getByRole('heading', { name: 'Compare' }).waitFor();
      const seeds = page.getByRole('row', { name: /^Seed/ }).getByRole('cell');
      assert.deepEqual((await seeds.allInnerTexts()).toSorted(), ['0', '7']);
    });

    it('says of a file that it is no model', async () => {
      await page.getByRole('link', { name: 'Models', exact: true }).click();
      const file = {
        name: 'nothing.onnx',
        mimeType: 'application/octet-stream',
        buffer: Buffer.from('no model at all'),
      };
      await page.getByTestId('model-file').setInputFiles(file);
      await page.getByText(/MODEL_UNREADABLE/).waitFor();
    });
  });
}
