import { WorkbenchError } from '../base/errors.ts';

/**
 * The assignment of rows to columns with the smallest total cost: for each row its column. `cost` [N, N] row-major, finite.
 * Shortest augmenting paths with potentials, O(N³) (Kuhn 1955; Jonker and Volgenant 1987).
 */
export function cheapestMatching(cost: ArrayLike<number>, size: number): Int32Array<ArrayBuffer> {
  if (cost.length !== size * size) {
    throw new WorkbenchError('SHAPE_MISMATCH', `Matching: expected ${size} × ${size} costs, got ${cost.length}`);
  }
  // Row and column 0 are a start that is not there.
  const rowPotential = new Float64Array(size + 1);
  const columnPotential = new Float64Array(size + 1);
  const rowOf = new Int32Array(size + 1);
  const before = new Int32Array(size + 1);
  for (let row = 1; row <= size; row++) {
    rowOf[0] = row;
    let column = 0;
    const distance = new Float64Array(size + 1).fill(Infinity);
    const isReached = new Uint8Array(size + 1);
    do {
      isReached[column] = 1;
      const from = rowOf[column]!;
      let step = Infinity;
      let next = 0;
      for (let j = 1; j <= size; j++) {
        if (isReached[j]) continue;
        const reduced = cost[(from - 1) * size + j - 1]! - rowPotential[from]! - columnPotential[j]!;
        if (reduced < distance[j]!) [distance[j], before[j]] = [reduced, column];
        if (distance[j]! < step) [step, next] = [distance[j]!, j];
      }
      for (let j = 0; j <= size; j++) {
        if (isReached[j]) {
          rowPotential[rowOf[j]!]! += step;
          columnPotential[j]! -= step;
        } else distance[j]! -= step;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      const previous = before[column]!;
      rowOf[column] = rowOf[previous]!;
      column = previous;
    }
  }
  const columnOf = new Int32Array(size);
  for (let j = 1; j <= size; j++) columnOf[rowOf[j]! - 1] = j - 1;
  return columnOf;
}
