import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableCsv } from './csv.ts';
import type { TableBlock } from './document.ts';
import { escapeLatex, tableLatex } from './latex.ts';
import { toText } from './markup.ts';
import { tableMarkup } from './table.ts';

const block: TableBlock = {
  kind: 'table',
  title: 'Students & controls',
  columns: [{ title: 'Set' }, { title: 'Accuracy', unit: 'fraction' }, { title: 'Loss', unit: 'nat' }],
  rows: [
    ['Noise, "uniform"', 0.2232, 2.9127],
    ['=1+1', 1, null],
  ],
  note: '100 % is all',
};

describe('tables', () => {
  it('align numbers right, share decimals in a column and put units in the heads', () => {
    const text = toText(tableMarkup(block));
    assert.match(text, /<th scope="col" class="number">Accuracy \(%\)<\/th>/);
    assert.match(text, /<th scope="row">Noise, &quot;uniform&quot;<\/th><td class="number">22\.32<\/td>/);
    assert.match(text, /<td class="number">100\.00<\/td><td class="number">–<\/td>/);
  });

  it('become CSV with full precision, quoting, and no formulas', () => {
    assert.equal(
      tableCsv(block),
      'Set,Accuracy (fraction),Loss (nat)\r\n"Noise, ""uniform""",0.2232,2.9127\r\n\'=1+1,1,\r\n',
    );
    assert.equal(
      tableCsv({ ...block, columns: [{ title: 'x' }], rows: [['-1'], ['-a'], ['@b']] }),
      "x\r\n-1\r\n'-a\r\n'@b\r\n",
    );
  });

  it('become LaTeX for booktabs with everything escaped', () => {
    const text = tableLatex(block);
    assert.match(text, /\\caption\{Students \\& controls\}/);
    assert.match(text, /\\begin\{tabular\}\{@\{\}lrr@\{\}\}/);
    assert.match(text, / {4}Set & Accuracy \(\\%\) & Loss \(nat\) \\\\/);
    assert.match(text, / {4}=1\+1 & 100\.00 & -- \\\\/);
    assert.match(text, /footnotesize 100 \\% is all/);
  });

  it('escapes LaTeX commands, line breaks and powers', () => {
    assert.equal(escapeLatex('\\input{x}\n\n50_%'), '\\textbackslash{}input\\{x\\} 50\\_\\%');
    assert.equal(escapeLatex('2×10⁻⁵'), '2$\\times$10$^{-5}$');
  });
});
