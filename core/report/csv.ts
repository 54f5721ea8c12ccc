import type { TableBlock } from './document.ts';

/**
 * A table for spreadsheets and programs (RFC 4180, CRLF, UTF-8): full precision, units in the heads, fractions stay
 * fractions, empty for what is missing. Text that a spreadsheet would run as a formula gets a quote before it.
 */
export function tableCsv(block: TableBlock): string {
  const head = block.columns.map(({ title, unit }) =>
    unit === undefined || unit === '1' ? title : `${title} (${unit})`,
  );
  const rows = block.rows.map((row) => block.columns.map((_, j) => cellText(row[j] ?? null)));
  return [head.map(csvCell), ...rows].map((cells) => `${cells.join(',')}\r\n`).join('');
}

function cellText(cell: string | number | null): string {
  if (cell === null) return '';
  return typeof cell === 'number' ? String(cell) : csvCell(cell);
}

/** A text as one cell. */
export function csvCell(text: string): string {
  const isFormula = /^[=+\-@\t\r]/.test(text) && !(text.trim() !== '' && Number.isFinite(Number(text)));
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
