import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openChromium } from './chromium.ts';
import { listen } from './open.ts';
import { stage } from './stand-in/electron.ts';
import { startApp } from './stand-in/start.ts';

it('an application whose workspace is not there any more asks for another one, and remembers that', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [userData, gone, letter, shelf] = ['user', 'gone', 'letter.txt', 'shelf'].map((name) => join(folder, name));
  assert.ok(userData && gone && letter && shelf);
  for (const each of [userData, shelf]) mkdirSync(each);
  for (const each of [letter, join(shelf, 'other.txt')]) writeFileSync(each, 'not ours');
  const remembered = join(userData, 'workspace.json');
  writeFileSync(remembered, JSON.stringify({ workspace: gone }));
  const [another, again] = [{ response: 0 }, { response: 1 }];
  const choices = [[], [letter], [shelf]].map((filePaths) => ({ filePaths }));
  stage.answers.push(again, ...choices.flatMap((choice) => [another, choice]));

  const context = await openChromium();
  t.after(async () => context.close());
  const { page, quit } = await startApp(context, { userData });
  t.after(quit);
  const complaints = listen(page);
  await page.getByRole('button', { name: 'Start the example' }).waitFor();

  const asked = stage.said.filter(({ kind }) => kind === 'message').map(({ options }) => JSON.stringify(options));
  assert.equal(asked.length, 4);
  for (const question of asked) assert.match(question, /Choose another folder….*Try again.*Quit/);
  for (const question of asked.slice(0, 3)) assert.match(question, /gone is not there any more/);
  assert.match(asked[3] ?? '', /letter\.txt.*WORKSPACE_UNUSABLE/);
  assert.equal(existsSync(gone), false);
  assert.deepEqual(JSON.parse(readFileSync(remembered, 'utf8')), { workspace: join(shelf, 'palimpsest-workspace') });
  assert.deepEqual(complaints, []);
});
