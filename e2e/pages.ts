import type { Page } from 'playwright-core';

/** A page of the window, and how to come to it with something on it. */
export interface Visited {
  readonly name: string;
  /** Goes there and waits until what it is about is on the screen. */
  show(): Promise<void>;
}

/** Makes two small runs, so that no page is empty, and gives every page of the window. */
export async function visitPages(page: Page): Promise<readonly Visited[]> {
  const first = await makeRun(page, { Impressions: '100', 'Synthesis steps': '30', 'Distillation epochs': '3' });
  const second = await makeRun(page, { Impressions: '60', 'Synthesis steps': '20', Seed: '7' });
  const at = (name: string, hash: string, settled: () => Promise<void>): Visited => ({
    name,
    async show() {
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
      await settled();
      await page.waitForFunction(() => document.getAnimations().every((each) => each.playState !== 'running'));
    },
  });
  const heading = (title: string) => async (): Promise<void> =>
    page.getByRole('heading', { name: title, exact: true }).first().waitFor();
  const text = (what: RegExp) => async (): Promise<void> => page.getByText(what).first().waitFor();
  return [
    at('start', '#/', heading('Start')),
    at('new-run', '#/new/data-impressions', async () => page.getByLabel('Impressions', { exact: true }).waitFor()),
    at('run', `#/runs/${first}`, async () => page.getByRole('img', { name: /Impressions by class/ }).waitFor()),
    at('runs', '#/runs', async () => page.getByRole('gridcell', { name: 'Done' }).first().waitFor()),
    at('compare', `#/compare/${first},${second}`, heading('Compare')),
    at('report', `#/runs/${first}/report`, async () =>
      page.frameLocator('iframe[title=Report]').getByRole('heading', { level: 1 }).waitFor(),
    ),
    at('models', '#/models/bundled%3Alenet5-mnist', heading('What it costs')),
    at('data', '#/data', heading('Data')),
    at('settings', '#/settings', text(/onnxruntime/)),
    at('unknown', '#/nowhere', text(/No such page/)),
  ];
}

async function makeRun(page: Page, fields: Readonly<Record<string, string>>): Promise<string> {
  await page.evaluate(() => {
    location.hash = '#/';
  });
  await page.getByRole('link', { name: 'Change it first' }).click();
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('Done', { exact: true }).first().waitFor();
  return decodeURIComponent(new URL(page.url()).hash.split('/')[2] ?? '');
}
