import type { TableBlock, TableColumn } from './document.ts';
import {
  commonDigits,
  commonPercentDigits,
  formatFixed,
  formatNumber,
  missing,
  shownScale,
  titleWithUnit,
} from './format.ts';
import { markup, type Markup } from './markup.ts';

/** How each number of a column is written, so that decimal points stand under each other. */
export function columnFormats(block: TableBlock): readonly ((value: number | null) => string)[] {
  return block.columns.map((column, j) => {
    const scale = shownScale(column.unit);
    const numbers = block.rows.flatMap((row) => {
      const cell = row[j];
      return typeof cell === 'number' ? [cell * scale] : [];
    });
    const digits = column.digits ?? (column.unit === 'fraction' ? commonPercentDigits(numbers) : commonDigits(numbers));
    return (value) => {
      if (value === null) return missing;
      return digits === undefined ? formatNumber(value * scale) : formatFixed(value * scale, digits);
    };
  });
}

/** Given, or right for a column that holds numbers. */
export function columnAlign(block: TableBlock, index: number): 'left' | 'right' {
  const given: TableColumn['align'] = block.columns[index]?.align;
  if (given !== undefined) return given;
  const cells = block.rows.map((row) => row[index]).filter((cell) => cell !== null && cell !== undefined);
  return cells.length > 0 && cells.every((cell) => typeof cell === 'number') ? 'right' : 'left';
}

/** The bare table. A first column of text names its rows. */
export function tableMarkup(block: TableBlock): Markup {
  const formats = columnFormats(block);
  const aligns = block.columns.map((_, j) => columnAlign(block, j));
  const head = block.columns.map(
    (column, j) =>
      markup`<th scope="col"${aligns[j] === 'right' && markup` class="number"`}>${titleWithUnit(column.title, column.unit)}</th>`,
  );
  const rows = block.rows.map((row) => {
    const cells = block.columns.map((_, j) => {
      const cell = row[j] ?? null;
      const text = typeof cell === 'string' ? cell : (formats[j]?.(cell) ?? missing);
      const className = aligns[j] === 'right' && markup` class="number"`;
      return j === 0 && aligns[0] === 'left'
        ? markup`<th scope="row">${text}</th>`
        : markup`<td${className}>${text}</td>`;
    });
    return markup`<tr>${cells}</tr>`;
  });
  return markup`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
