import assert from 'node:assert/strict';
import { it } from 'node:test';
import { csvText } from './save.ts';

it('a CSV file quotes what would break a row, and no cell is a formula', () => {
  assert.equal(
    csvText([
      ['a', 'b,c', 'say "x"'],
      [1.5, null, undefined],
      ['=1+1', '-5', -5],
    ]),
    `a,"b,c","say ""x"""\r\n1.5,,\r\n'=1+1,'-5,-5\r\n`,
  );
});
