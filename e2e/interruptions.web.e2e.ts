import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { openChromium } from './chromium.ts';
import { listen } from './open.ts';
import { serve, type Served } from './server.ts';

const teacher = fileURLToPath(new URL('../assets/models/lenet5-fmnist.onnx', import.meta.url));

/** From a dropped teacher file to the report, with everything going wrong that can on the way. */
describe('a run that is interrupted in every way', { timeout: 600_000 }, () => {
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

  it('says of wrong files what is wrong with them', async () => {
    await go(page, 'Models');
    const wrong = [
      { name: 'nothing.onnx', text: 'no model at all' },
      { name: 'half.onnx', text: readFileSync(teacher).subarray(0, 50_000) },
    ];
    for (const { name, text } of wrong) {
      await drop(page, { name, bytes: Buffer.from(text) });
      await page.getByText(/MODEL_UNREADABLE/).waitFor();
      await go(page, 'Models');
    }
    await go(page, 'Data');
    const data = { name: 'digits.npz', mimeType: 'application/zip', buffer: Buffer.from('no archive') };
    await page.locator('input[type=file]').first().setInputFiles(data);
    await page.getByText(/DATA_UNREADABLE/).waitFor();
  });

  it('takes a dropped teacher and makes a run of it by the wizard', async () => {
    await go(page, 'Models');
    await drop(page, { name: 'teacher.onnx', bytes: readFileSync(teacher) });
    await page.getByRole('heading', { name: 'What it costs' }).waitFor();
    await page.getByRole('link', { name: /^New run: .*impressions/i }).click();
    // So many that no machine is through before it is interrupted.
    await start({ Impressions: '3000' });
    await step(page).waitFor();
  });

  it('shows a reloaded window, and a second one, the same run in the middle', async () => {
    await page.reload();
    await step(page).waitFor();
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

/** As a file manager does it. */
async function drop(page: Page, file: { readonly name: string; readonly bytes: Buffer }): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (sign) => sign.codePointAt(0) ?? 0);
      const made = new DataTransfer();
      made.items.add(new File([bytes], name));
      return made;
    },
    { name: file.name, base64: file.bytes.toString('base64') },
  );
  const zone = page.getByTestId('model-file').locator('..');
  await zone.dispatchEvent('dragover', { dataTransfer: transfer });
  await zone.dispatchEvent('drop', { dataTransfer: transfer });
}
