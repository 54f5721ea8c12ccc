import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { canMove } from '../core/jobs/states.ts';
import { openWorkspace } from '../core/store/workspace.ts';
import { openStandIn, type Opened } from './open.ts';
import { app, stage } from './stand-in/electron.ts';
import { utilities } from './stand-in/utility.ts';

/** What only the application does: processes of its own for runs, notifications, menu, dialogs, an orderly end. */
describe('the application around the window', { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
  let opened: Opened;
  let page: Page;

  before(async () => {
    opened = await openStandIn();
    page = opened.page;
    await page.getByRole('link', { name: 'Change it first' }).click();
    await page.getByLabel('Impressions', { exact: true }).fill('9000');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
  });

  after(async () => {
    await opened?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const job = () => utilities.findLast(({ serviceName }) => serviceName === 'Palimpsest job-process');
  const computing = async (): Promise<void> => page.getByText(/^step \d+ of/).waitFor();

  it('has its icon on the window, and the name of its packages', () => {
    const icon = stage.windows[0]?.options['icon'];
    assert.ok(typeof icon === 'string' && existsSync(icon), String(icon));
    const builder = readFileSync(new URL('../electron-builder.yml', import.meta.url), 'utf8');
    assert.match(builder, new RegExp(`^appId: ${stage.modelId}$`, 'm'));
  });

  it('computes in a process of its own, with processes of its own', async () => {
    await computing();
    const names = utilities.map(({ serviceName }) => serviceName);
    assert.ok(names.includes('Palimpsest job-process'), names.join());
    assert.ok(names.includes('Palimpsest lane-process'), names.join());
    assert.notEqual(job()?.pid, process.pid);
  });

  it('starts for such a process nothing but others of its kind', () => {
    const count = utilities.length;
    const orders: unknown[] = [
      { kind: 'start', child: 900, entry: '../../../bin/sh', isBare: false },
      { kind: 'start', child: 900, entry: 'application', isBare: false },
      { kind: 'kill', child: process.pid },
      { kind: 'request', name: 'queue.facts' },
      'start',
    ];
    for (const order of orders) job()?.emit('message', order);
    assert.equal(utilities.length, count);
    assert.notEqual(job()?.pid, undefined);
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

  it('holds what looks into files to limits, and ends what takes more', async () => {
    const model = new URL('../assets/models/lenet5-fmnist.onnx', import.meta.url);
    const open = async (): Promise<void> => {
      stage.answers.push({ filePaths: [fileURLToPath(model)] });
      choose('Open model …');
    };
    stage.workingSetKilobytes = 2 ** 40;
    await open();
    await page
      .getByText(/took more than \d+ MiB of memory and was stopped/)
      .first()
      .waitFor();
    stage.workingSetKilobytes = 0;
    choose('Models');
    await page.getByText('Drop an .onnx file here').waitFor();
    await open();
    await page.getByRole('heading', { name: 'What it costs' }).waitFor();
    const apart = utilities.findLast(({ serviceName }) => serviceName === 'Palimpsest apart-process');
    for (const limit of [/Max data size +\d+ +\d+/, /Max cpu time +\d+ +\d+/, /Max core file size +0 +0/]) {
      assert.match(apart?.limitsAtFirst ?? '', limit);
    }
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

  const settings = async (): Promise<void> =>
    page.getByRole('navigation').getByRole('link', { name: 'Settings', exact: true }).click();
  const change = async (to: string): Promise<void> => {
    stage.answers.push({ filePaths: [to] });
    await page.getByRole('button', { name: 'Change workspace' }).click();
  };
  const remembered = (): string => join(stage.userData, 'workspace.json');

  it('changes nothing when another workspace cannot be opened', async () => {
    await settings();
    const busy = join(folder, 'busy');
    const other = openWorkspace(busy, { now: Date.now, random: Math.random, canMove });
    await change(busy);
    await page.getByText(/WORKSPACE_BUSY/).waitFor();
    other.close();
    assert.equal(existsSync(remembered()), false);
    assert.notEqual(job()?.pid, undefined);
  });

  it('asks before another workspace ends a run, and lets it go on', async () => {
    stage.answers.push({ filePaths: [join(folder, 'second')] }, { response: 1 });
    await page.getByRole('button', { name: 'Change workspace' }).click();
    await said(/Stop it and change the workspace/);
    await page.getByRole('button', { name: 'Change workspace' }).and(page.locator(':enabled')).waitFor();
    await page.getByText(opened.workspace, { exact: true }).waitFor();
    assert.notEqual(job()?.pid, undefined);
    // Let go of again: it was open while the question was.
    openWorkspace(join(folder, 'second'), { now: Date.now, random: Math.random, canMove }).close();
  });

  it('goes over to another workspace, in a folder of its own beside strange files, and back to the stopped run', async () => {
    const full = join(folder, 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'letter.txt'), 'not ours');
    const second = join(full, 'palimpsest-workspace');
    await change(full);
    await page.getByText(second, { exact: true }).waitFor();
    assert.equal(job()?.pid, undefined);
    assert.deepEqual(JSON.parse(readFileSync(remembered(), 'utf8')), { workspace: second });
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByText(/No runs yet/).waitFor();
    await settings();
    await change(opened.workspace);
    await page.getByText(opened.workspace, { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByRole('gridcell', { name: 'Interrupted' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await computing();
  });

  it('quits by stopping the run, which can be resumed, and lets go of the workspace', async () => {
    stage.answers.push({ response: 0 });
    const asked = stage.said.length;
    app.quit();
    // Impatience asks nothing twice, and kills nothing.
    while (stage.said.length === asked) await new Promise((resolve) => setImmediate(resolve));
    app.quit();
    assert.equal(stage.windows.length, 1);
    app.quit();
    await stage.hasQuit.promise;
    assert.equal(stage.said.length, asked + 1);
    assert.equal(stage.windows.length, 0);
    assert.equal(job()?.pid, undefined);
    const workspace = openWorkspace(opened.workspace, { now: Date.now, random: Math.random, canMove });
    const [run] = workspace.queryRuns({ offset: 0, limit: 10 }).rows;
    workspace.close();
    assert.equal(run?.state, 'interrupted');
    assert.equal(run.resumable, true);
  });

  function choose(label: string): void {
    const entries = stage.menu?.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : [])) ?? [];
    const found: unknown = entries.find((entry: { readonly label?: string }) => entry.label === label);
    assert.ok(typeof found === 'object' && found !== null && 'click' in found && typeof found.click === 'function');
    Reflect.apply(found.click, undefined, []);
  }

  function killJob(): void {
    const pid = job()?.pid;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
  }

  async function said(what: RegExp): Promise<void> {
    while (!what.test(JSON.stringify(stage.said.at(-1)))) await new Promise((resolve) => setImmediate(resolve));
  }
});
