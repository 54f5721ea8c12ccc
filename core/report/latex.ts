import type { TableBlock } from './document.ts';
import { missing, titleWithUnit } from './format.ts';
import { columnAlign, columnFormats } from './table.ts';

/** A table environment for the booktabs package, with numbers as the report prints them and everything escaped. */
export function tableLatex(block: TableBlock): string {
  const formats = columnFormats(block);
  const layout = block.columns.map((_, j) => (columnAlign(block, j) === 'right' ? 'r' : 'l')).join('');
  const line = (cells: readonly string[]) => `    ${cells.map(escapeLatex).join(' & ')} \\\\`;
  const rows = block.rows.map((row) =>
    line(
      block.columns.map((_, j) => {
        const cell = row[j] ?? null;
        return typeof cell === 'string' ? cell : (formats[j]?.(cell) ?? missing);
      }),
    ),
  );
  return [
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${escapeLatex(block.title)}}`,
    `  \\begin{tabular}{@{}${layout}@{}}`,
    '    \\toprule',
    line(block.columns.map(({ title, unit }) => titleWithUnit(title, unit))),
    '    \\midrule',
    ...rows,
    '    \\bottomrule',
    '  \\end{tabular}',
    ...(block.note === undefined ? [] : [`  \\par\\smallskip\\footnotesize ${escapeLatex(block.note)}`]),
    '\\end{table}',
    '',
  ].join('\n');
}

const commands: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  $: '\\$',
  '&': '\\&',
  '#': '\\#',
  '%': '\\%',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '\u2212': '$-$',
  '×': '$\\times$',
  '±': '$\\pm$',
  '∞': '$\\infty$',
  '–': '--',
  '\u202f': '\\,',
};

const superscriptDigits = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Plain text for a LaTeX document; a line break becomes a space, since a blank line would end the row. */
export function escapeLatex(text: string): string {
  return text
    .replace(/\s*[\r\n]\s*/g, ' ')
    .replace(/[\\{}$&#%_~^<>\u2212×±∞–\u202f]/g, (character) => commands[character] ?? character)
    .replace(/⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (power) => {
      const digits = [...power].map((digit) => (digit === '⁻' ? '-' : superscriptDigits.indexOf(digit))).join('');
      return `$^{${digits}}$`;
    });
}
