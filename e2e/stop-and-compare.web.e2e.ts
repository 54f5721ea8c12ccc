import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { openChromium } from './chromium.ts';
import { serve, type Served } from './server.ts';

describe('runs that are stopped, taken up again and compared; files that are wrong', { timeout: 600_000 }, () => {
  const workspace = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
  let served: Served;
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    served = await serve(workspace);
    context = await openChromium();
    page = await context.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(served.url);
    await page.getByRole('button', { name: 'Start the example' }).waitFor();
  });

  after(async () => {
    await context?.close();
    await served?.close();
    await rm(workspace, { recursive: true, force: true });
  });

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
    const file = { name: 'nothing.onnx', mimeType: 'application/octet-stream', buffer: Buffer.from('no model at all') };
    await page.getByTestId('model-file').setInputFiles(file);
    await page.getByText(/MODEL_UNREADABLE/).waitFor();
  });
});
