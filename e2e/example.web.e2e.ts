import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { openChromium } from './chromium.ts';
import { serve, type Served } from './server.ts';

const patience = 120_000;

describe('the window in a browser, on the real engine and a real workspace', { timeout: 600_000 }, () => {
  const workspace = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
  const complaints: string[] = [];
  let served: Served;
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    served = await serve(workspace);
    context = await openChromium();
    page = await context.newPage();
    page.setDefaultTimeout(patience);
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      const isOwn = hostname === '127.0.0.1' || protocol === 'data:' || protocol === 'blob:';
      if (!isOwn) complaints.push(`asked for ${request.url()}`);
    });
  });

  after(async () => {
    await context?.close();
    await served?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  it('takes the token off the address and shows the start page', async () => {
    await page.goto(served.url);
    await page.getByRole('heading', { name: 'Start', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Start the example' }).waitFor();
    assert.equal(new URL(page.url()).hash.includes('token'), false);
  });

  it('survives a reload without the token', async () => {
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
    await page.getByLabel('Synthesis steps').fill('20');
    await page.getByLabel('Distillation epochs').fill('2');
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

  it('has asked for nothing outside and logged no error', () => assert.deepEqual(complaints, []));
});
