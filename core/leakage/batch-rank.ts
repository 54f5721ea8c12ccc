/** Rows and columns that are looked at; a choice of them has the rank of the whole. */
const mostLines = 512;
const mostRank = 256;
/** Below so many units of precision of the largest row the rest is rounding. */
const roundingUnits = 16;
/** Of float32. */
const singlePrecision = 2 ** -24;

/**
 * Rank of a matrix [M, N] of numbers rounded to a relative `precision`, by taking out its longest row again and again (modified
 * Gram–Schmidt). `isFull`: no end was seen before the matrix, or the part of it that is looked at, was used up, as with
 * noise. `gap`: how much longer the last row taken out was than the longest of the rest. undefined for what is no matrix, or is
 * zero.
 */
export function numericalRank(
  data: ArrayLike<number>,
  dims: readonly number[],
  precision = singlePrecision,
): { readonly rank: number; readonly isFull: boolean; readonly gap: number } | undefined {
  const [rows = 0, columns = 0] = dims;
  if (dims.length !== 2 || rows * columns !== data.length || data.length === 0) return undefined;
  const [height, width] = [Math.min(rows, mostLines), Math.min(columns, mostLines)];
  const at = (line: number, shown: number, all: number): number => Math.floor((line * all) / shown);
  const rest = Array.from({ length: height }, (_, i) =>
    Float64Array.from({ length: width }, (__, j) => data[at(i, height, rows) * columns + at(j, width, columns)] ?? 0),
  );
  const limit = Math.min(height, width, mostRank);
  let largest = 0;
  let before = 0;
  for (let rank = 0; rank < limit; rank++) {
    const squares = rest.map((row) => row.reduce((sum, value) => sum + value * value, 0));
    const longest = squares.indexOf(Math.max(...squares));
    const length = Math.sqrt(squares[longest] ?? 0);
    if (rank === 0) largest = length;
    if (length === 0 && rank === 0) return undefined;
    if (length <= roundingUnits * precision * largest) return { rank, isFull: false, gap: before / length };
    before = length;
    takeOut(rest, longest, length);
  }
  return { rank: limit, isFull: true, gap: 1 };
}

function takeOut(rest: readonly Float64Array[], longest: number, length: number): void {
  const unit = Float64Array.from(rest[longest] ?? [], (value) => value / length);
  for (const row of rest) {
    let along = 0;
    for (let j = 0; j < row.length; j++) along += row[j]! * unit[j]!;
    for (let j = 0; j < row.length; j++) row[j]! -= along * unit[j]!;
  }
}
