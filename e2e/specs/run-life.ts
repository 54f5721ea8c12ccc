import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { canMove } from '../../core/jobs/states.ts';
import type { MetricPoint } from '../../core/contract/run.ts';
import { readWorkspace } from '../../core/store/workspace.ts';
import type { Opened, Opener, Saved } from '../open.ts';

/** What happens to a run besides being computed: looked at meanwhile, paused, taken apart into files, noted, deleted. */
export function describeRunLife(place: string, open: Opener): void {
  describe(`the life of a run, ${place}`, { timeout: 600_000 }, () => {
    let opened: Opened;
    let page: Page;

    before(async () => {
      opened = await open();
      page = opened.page;
      await page.getByRole('link', { name: 'Change it first' }).click();
      // As much work as ever, in short steps: the first point of a curve is there soon on a busy machine, too.
      const fields = { Impressions: '60000', 'Synthesis steps': '30' };
      for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.getByText(/^step \d+ of/).waitFor();
    });

    after(async () => opened?.close());

    const runs = async (): Promise<void> => page.getByRole('link', { name: 'Runs', exact: true }).click();
    const cell = (name: string | RegExp): Locator => page.getByRole('gridcell', { name }).first();

    async function saved(choice: RegExp): Promise<Saved> {
      await page.getByRole('button', { name: 'Save Synthesis loss', exact: true }).click();
      const saving = opened.nextSaved();
      await page.getByRole('menuitem', { name: choice }).click();
      return saving;
    }

    it('shows in the table how far it has come, at once after a reload too', async () => {
      await runs();
      await cell(/^Running \d+ %$/).waitFor();
      await page.reload();
      await cell(/^Running \d+ %$/).waitFor();
    });

    it('opens by a click during which the table was refreshed', async () => {
      const title = page.locator('.MuiDataGrid-cell.run-title').first();
      await title.waitFor();
      const node = await title.elementHandle();
      await title.hover();
      await page.mouse.down();
      const left = page.locator('.MuiDataGrid-cell[data-field=result]').first();
      for (let change = 0; change < 2; change++) {
        const shown = await left.innerText();
        await page.waitForFunction(
          (text) => document.querySelector<HTMLElement>('.MuiDataGrid-cell[data-field=result]')?.innerText !== text,
          shown,
        );
      }
      assert.equal(await node?.evaluate((element) => element.isConnected), true);
      await page.mouse.up();
      await page.getByRole('button', { name: 'Pause' }).waitFor();
    });

    it('draws its curve as it grows', async () => {
      const curve = page.getByRole('img', { name: /^Synthesis loss: / });
      await curve.waitFor();
      const first = await curve.getAttribute('aria-label');
      await page.waitForFunction(
        (label) => !document.querySelector(`canvas[aria-label=${JSON.stringify(label)}]`),
        first,
      );
    });

    it('pauses, says so in the table, and goes on from where it was', async () => {
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused', { exact: true }).waitFor();
      await page.getByText(/^Paused, \d+\s% done\. Resume goes on/).waitFor();
      await runs();
      await cell('Paused').waitFor();
      await cell('Paused').click();
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByRole('button', { name: 'Pause' }).waitFor();
      await page.getByText(/^step \d+ of/).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByText('Cancelled', { exact: true }).waitFor();
    });

    it('shows a curve as a table, too', async () => {
      const figure = page.getByRole('figure').filter({ hasText: 'Synthesis loss' });
      await figure.getByRole('button', { name: 'Show as a table' }).click();
      assert.ok((await figure.getByRole('row').count()) > 2);
      assert.deepEqual(await figure.getByRole('columnheader').allInnerTexts(), ['step', 'Synthesis loss']);
      await figure.getByRole('button', { name: 'Show the chart' }).click();
      await figure.getByRole('img', { name: /^Synthesis loss: / }).waitFor();
    });

    it('gives a curve away as numbers, as a picture and as a drawing', async () => {
      const csv = await saved(/^CSV/);
      assert.match(csv.name, /synthesisLoss\.csv$/);
      const lines = csv.bytes.toString('utf8').trim().split('\r\n');
      assert.equal(lines[0], 'step,Synthesis loss');
      const runId = decodeURIComponent(new URL(page.url()).hash.split('/')[2] ?? '');
      const stored = pointsOf(opened.workspace, runId);
      assert.deepEqual(
        lines.slice(1),
        stored.map(({ step, value }) => `${step},${value}`),
      );
      assert.match(lines[1] ?? '', /^\d+,-?[\d.e-]+$/);
      const png = await saved(/^PNG/);
      assert.deepEqual([...png.bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
      assert.ok(png.bytes.readUInt32BE(16) > 200 && png.bytes.readUInt32BE(20) > 100, 'it has the size of the chart');
      const svg = await saved(/^SVG/);
      assert.match(svg.bytes.toString('utf8'), /^<svg [\s\S]*<path [\s\S]*<\/svg>\s*$/);
    });

    it('enlarges its images by the keyboard alone, and gives the focus back', async () => {
      const button = page.getByRole('button', { name: /^Enlarge: / }).first();
      await button.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      const chosen = dialog.getByRole('button', { pressed: true });
      await dialog.getByRole('button', { name: '1×' }).focus();
      await page.keyboard.press('Enter');
      const small = await dialog.getByRole('img').boundingBox();
      await page.keyboard.press('+');
      await dialog.getByRole('button', { name: '2×', pressed: true }).waitFor();
      assert.equal((await dialog.getByRole('img').boundingBox())?.width, 2 * (small?.width ?? 0));
      await page.keyboard.press('-');
      assert.equal(await chosen.innerText(), '1×');
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      assert.equal(await button.evaluate((each) => each === document.activeElement), true);
    });

    it('keeps a note and a tag, and is found by them', async () => {
      await page.getByLabel('Note').fill('stopped by hand');
      await page.getByLabel('Tags').fill('to look at');
      await page.getByLabel('Tags').press('Enter');
      await page.getByRole('button', { name: 'to look at' }).waitFor();
      await page.reload();
      await page.getByText('stopped by hand').first().waitFor();
      await runs();
      await cell('to look at').waitFor();
      await page.getByLabel('Search runs').fill('by hand');
      await cell('Cancelled').waitFor();
      await page.getByLabel('Search runs').fill('');
      await page.getByRole('combobox', { name: 'Tag' }).click();
      await page.getByRole('option', { name: 'to look at (1)' }).click();
      await cell('Cancelled').click();
    });

    it('goes to the trash and comes back', async () => {
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByText(/^This run is in the trash/).waitFor();
      await runs();
      await page.getByText('No run fits the filter.').waitFor();
      await page.getByRole('button', { name: 'Trash' }).click();
      await cell('Cancelled').waitFor();
      await page.getByRole('checkbox', { name: 'Select row' }).check();
      await page.getByRole('button', { name: 'Take back' }).click();
      await page.getByText('No run fits the filter.').waitFor();
      await page.getByRole('button', { name: 'Back to the runs' }).click();
      await cell('Cancelled').waitFor();
    });

    it('has logged no error', () => assert.deepEqual(opened.complaints, []));
  });
}

/** Every point of the curve that the workspace holds. */
function pointsOf(workspace: string, runId: string): readonly MetricPoint[] {
  const reader = readWorkspace(workspace, { now: Date.now, random: Math.random, canMove });
  try {
    return reader.series(runId)['synthesisLoss'] ?? [];
  } finally {
    reader.close();
  }
}
