/**
 * argmin ‖A n − b‖² over n ≥ 0 by cyclic coordinate descent on the normal equations (Franc, Hlaváč, Navara 2005). `matrix`
 * A [M, N] row-major, `wanted` b [M]; [N].
 */
export function nonNegativeLeastSquares(
  matrix: Float64Array,
  wanted: Float64Array,
  columns: number,
): Float64Array<ArrayBuffer> {
  const rows = wanted.length;
  const gram = new Float64Array(columns * columns);
  const slope = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < columns; i++) {
      const value = matrix[r * columns + i]!;
      slope[i]! -= value * wanted[r]!;
      for (let j = 0; j < columns; j++) gram[i * columns + j]! += value * matrix[r * columns + j]!;
    }
  }
  const solution = new Float64Array(columns);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  for (let sweep = 0; sweep < 2000; sweep++) {
    let moved = 0;
    for (let i = 0; i < columns; i++) {
      const curvature = gram[i * columns + i]!;
      if (curvature === 0) continue;
      const next = Math.max(0, solution[i]! - slope[i]! / curvature);
      const step = next - solution[i]!;
      if (step === 0) continue;
      solution[i] = next;
      for (let j = 0; j < columns; j++) slope[j]! += step * gram[i * columns + j]!;
      moved = Math.max(moved, Math.abs(step));
    }
    if (moved < 1e-9 * scale) break;
  }
  return solution;
}
