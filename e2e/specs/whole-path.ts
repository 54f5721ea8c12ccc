import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { dropModel } from '../drop.ts';
import { holdRun } from '../hold.ts';
import type { Opened, Opener } from '../open.ts';

const teacher = fileURLToPath(new URL('../../assets/models/lenet5-fmnist.onnx', import.meta.url));

/** Wrong files, then from a dropped teacher file through the wizard, a reload, cancel and resume to a comparison. */
export function describeWholePath(place: string, open: Opener): void {
  describe(`from a dropped file to the comparison of its runs, ${place}`, { timeout: 600_000 }, () => {
    let opened: Opened;
    let page: Page;
    let goOn: () => void = () => undefined;

    before(async () => {
      opened = await open();
      page = opened.page;
      await page.getByRole('button', { name: 'Start the example' }).waitFor();
    });

    after(async () => {
      goOn();
      await opened?.close();
    });

    const go = async (where: string): Promise<void> =>
      page.getByRole('navigation').getByRole('link', { name: where, exact: true }).click();

    async function start(fields: Readonly<Record<string, string>>): Promise<void> {
      for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.getByRole('button', { name: 'Cancel' }).waitFor();
    }

    it('says of wrong files what is wrong with them', async () => {
      const wrong = [
        { name: 'nothing.onnx', bytes: Buffer.from('no model at all') },
        { name: 'half.onnx', bytes: readFileSync(teacher).subarray(0, 50_000) },
      ];
      for (const file of wrong) {
        await go('Models');
        await dropModel(page, file);
        await page.getByText(/MODEL_UNREADABLE/).waitFor();
      }
      await go('Data');
      const data = { name: 'digits.npz', mimeType: 'application/zip', buffer: Buffer.from('no archive') };
      await page.locator('input[type=file]').first().setInputFiles(data);
      await page.getByText(/DATA_UNREADABLE/).waitFor();
    });

    it('takes a dropped teacher and makes a run of it by the wizard', async () => {
      await go('Models');
      await dropModel(page, { name: 'teacher.onnx', bytes: readFileSync(teacher) });
      await page.getByRole('heading', { name: 'What it costs' }).waitFor();
      await page.getByRole('link', { name: /^New run: .*impressions/i }).click();
      await start({ Impressions: '400', 'Synthesis steps': '80', 'Distillation epochs': '2' });
      await page.getByText(/^step \d+ of/).waitFor();
      goOn = holdRun(opened.workspace);
    });

    it('shows the same run when it is loaded anew in the middle', async () => {
      await page.reload();
      await page.getByText(/^step \d+ of/).waitFor();
    });

    it('stops it, keeps it across a reload, and resumes it to its end', async () => {
      await page.getByRole('button', { name: 'Cancel' }).click();
      goOn();
      await page.getByText('Cancelled', { exact: true }).waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByText('Done', { exact: true }).waitFor();
      await page.getByText('Targets attained').first().waitFor();
    });

    it('asks again with changes and shows both next to each other', async () => {
      await page.getByRole('link', { name: 'Run again with changes' }).click();
      assert.equal(await page.getByLabel('Impressions', { exact: true }).inputValue(), '400');
      await start({ Impressions: '40', Seed: '7' });
      await page.getByText('Done', { exact: true }).waitFor();
      await go('Runs');
      await page.getByRole('checkbox', { name: 'Select all rows' }).check();
      await page.getByRole('button', { name: 'Compare 2' }).click();
      await page.getByRole('heading', { name: 'Compare' }).waitFor();
      const seeds = page.getByRole('row', { name: /^Seed/ }).getByRole('cell');
      assert.deepEqual((await seeds.allInnerTexts()).toSorted(), ['0', '7']);
    });

    it('has asked for nothing outside and logged no error', () => assert.deepEqual(opened.complaints, []));
  });
}
