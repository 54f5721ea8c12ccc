import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { openServed, type Opened } from './open.ts';

const teacher = fileURLToPath(new URL('../assets/models/lenet5-fmnist.onnx', import.meta.url));

/** What the window says and keeps when the host cannot do what a click asks for. */
describe('a click that fails', { timeout: 600_000 }, () => {
  let opened: Opened;
  let page: Page;

  before(async () => {
    opened = await openServed();
    page = opened.page;
    await page.getByRole('link', { name: 'Change it first' }).click();
    await page.getByLabel('Impressions', { exact: true }).fill('9000');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
  });

  after(async () => opened?.close());

  const go = async (place: string): Promise<void> =>
    page.getByRole('navigation').getByRole('link', { name: place, exact: true }).click();
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
  const row = (): Locator => page.getByRole('checkbox', { name: 'Select row' });

  it('says why a run that computes is not deleted, and leaves it chosen', async () => {
    await go('Runs');
    await row().check();
    await button('Delete').click();
    await page.getByText('RUN_STATE', { exact: true }).waitFor();
    assert.equal(await row().isChecked(), true);
    await page.getByRole('gridcell', { name: /^Running/ }).click();
    await button('Cancel').click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
  });

  it('keeps a note in its field until it is kept on disk', async () => {
    const full = { ok: false, error: { code: 'WORKSPACE_UNUSABLE', message: 'The disk is full' } };
    await page.route('**/api/request', async (route) => {
      const isNote = route.request().postData()?.includes('"runs.annotate"') === true;
      await (isNote ? route.fulfill({ json: full }) : route.continue());
    });
    const note = page.getByLabel('Note');
    await note.fill('not to be lost');
    await note.blur();
    await page.getByText('The disk is full').waitFor();
    assert.equal(await note.inputValue(), 'not to be lost');
    await page.unroute('**/api/request');
    await note.focus();
    await note.blur();
    await page.getByText('The disk is full').waitFor({ state: 'detached' });
    await page.reload();
    await page.getByText('not to be lost').first().waitFor();
  });

  it('asks before it deletes for good', async () => {
    await button('Delete').click();
    await page.getByText(/^This run is in the trash/).waitFor();
    await go('Runs');
    await button('Trash').click();
    await row().check();
    await button('Delete for good').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await row().isChecked(), true);
    await button('Delete for good').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('No run fits the filter.').waitFor();
  });

  it('shows a group whole that is opened while another table shows the trash', async () => {
    await page.evaluate(() => {
      location.hash = '#/runs?group=another';
    });
    await page.getByRole('heading', { name: 'Group of runs' }).waitFor();
    await go('Runs');
    await page.getByRole('heading', { name: 'Trash' }).waitFor();
  });

  it('ends an upload that is cancelled, takes nobody to the model and gives its place back', async () => {
    await go('Models');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.postData() ?? ''));
    const held = Promise.withResolvers<void>();
    await page.route('**/api/upload*', async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.getByTestId('model-file').setInputFiles(teacher);
    await button('Cancel').click();
    held.resolve();
    await button('Choose a file').waitFor();
    assert.ok(asked.some((body) => body.includes('"uploads.abort"')));
    assert.ok(!asked.some((body) => body.includes('"uploads.finish"')));
    assert.match(page.url(), /#\/models$/);
  });

  it('has logged no error', () => assert.deepEqual(opened.complaints, []));
});
