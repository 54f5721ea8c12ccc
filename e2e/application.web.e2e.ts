import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { openStandIn, type Opened } from './open.ts';
import { app, stage } from './stand-in/electron.ts';
import { utilities } from './stand-in/utility.ts';

/** What only the application does: processes of its own for runs, notifications, menu, dialogs, an orderly end. */
describe('the application around the window', { timeout: 600_000 }, () => {
  let opened: Opened;
  let page: Page;

  before(async () => {
    opened = await openStandIn();
    page = opened.page;
    await page.getByRole('link', { name: 'Change it first' }).click();
    await page.getByLabel('Impressions', { exact: true }).fill('2000');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
  });

  after(async () => opened?.close());

  const job = () => utilities.findLast(({ serviceName }) => serviceName === 'Palimpsest job-process');
  const computing = async (): Promise<void> => page.getByText(/^step \d+ of/).waitFor();

  it('computes in a process of its own, with processes of its own', async () => {
    await computing();
    const names = utilities.map(({ serviceName }) => serviceName);
    assert.ok(names.includes('Palimpsest job-process'), names.join());
    assert.ok(names.includes('Palimpsest lane-process'), names.join());
    assert.notEqual(job()?.pid, process.pid);
  });

  it('says why a run ended whose process was killed, and goes on', async () => {
    const [window] = stage.windows;
    assert.ok(window);
    window.isInFront = false;
    killJob();
    await page
      .getByText(/was killed \(SIGKILL\)/)
      .first()
      .waitFor();
    await page
      .getByText(/memory runs out/)
      .first()
      .waitFor();
    assert.match(JSON.stringify(stage.notifications.at(-1)?.options), /Interrupted/);
    await page.getByRole('link', { name: 'Settings', exact: true }).click();
    stage.notifications.at(-1)?.click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
  });

  it('ends what a killed process had started', async () => {
    const lanes = utilities.filter(({ serviceName }) => serviceName === 'Palimpsest lane-process');
    assert.ok(lanes.length > 0);
    assert.deepEqual(
      lanes.map(({ pid }) => pid),
      lanes.map(() => undefined),
    );
  });

  it('stops the queue after three crashes in five minutes, and asks', async () => {
    for (let crash = 1; crash < 3; crash++) {
      const last = job();
      await page.getByRole('button', { name: 'Resume' }).click();
      await computing();
      assert.notEqual(job(), last);
      killJob();
      await page.getByRole('button', { name: 'Resume' }).waitFor();
    }
    await page.getByText(/3 jobs crashed within five minutes/).waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText(/3 jobs crashed within five minutes/).waitFor({ state: 'detached' });
  });

  it('has a menu whose places lead there, and opens models by a dialog', async () => {
    const entries = stage.menu?.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : [])) ?? [];
    const choose = (label: string): void => {
      const found: unknown = entries.find((entry: { readonly label?: string }) => entry.label === label);
      assert.ok(typeof found === 'object' && found !== null && 'click' in found && typeof found.click === 'function');
      Reflect.apply(found.click, undefined, []);
    };
    choose('Data');
    await page.getByRole('heading', { name: 'Data', exact: true }).waitFor();
    stage.answers.push({ filePaths: ['nothing/of/that/name.onnx'] });
    choose('Open model …');
    await page
      .getByText(/name\.onnx/)
      .first()
      .waitFor();
    assert.equal(stage.said.at(-1)?.kind, 'open');
    choose('Runs');
  });

  it('asks before it ends a run, and lets it go on', async () => {
    await page.getByRole('gridcell', { name: 'Interrupted' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await computing();
    stage.answers.push({ response: 1 });
    app.quit();
    await said(/Stop it and quit/);
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    assert.notEqual(job()?.pid, undefined);
  });

  function killJob(): void {
    const pid = job()?.pid;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
  }

  async function said(what: RegExp): Promise<void> {
    while (!what.test(JSON.stringify(stage.said.at(-1)))) await new Promise((resolve) => setImmediate(resolve));
  }
});
