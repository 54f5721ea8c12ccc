import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rank } from './commands.ts';

const commands = [
  { title: 'Supervised training', kind: 'new run' },
  { title: 'Runs', kind: 'page' },
  { title: 'Train a student', kind: 'new run' },
  { title: 'Constrained', kind: 'page' },
];
const titles = (text: string): readonly string[] => rank(commands, text).map(({ title }) => title);

it('keeps the order when nothing is asked for', () => {
  assert.deepEqual(
    titles(' '),
    commands.map(({ title }) => title),
  );
});

it('puts beginnings of titles before beginnings of words before the rest', () => {
  assert.deepEqual(titles('train'), ['Train a student', 'Supervised training', 'Constrained']);
});

it('wants every word, in the title or the kind', () => {
  assert.deepEqual(titles('new sup'), ['Supervised training']);
  assert.deepEqual(titles('train nothing'), []);
});
