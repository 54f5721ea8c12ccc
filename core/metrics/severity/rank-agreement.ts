/**
 * Kendall's tau-b of two orderings of the same things: (C − D) / √((C + D + T_a)(C + D + T_b)) with C pairs in the same
 * order, D in opposite order, T tied in one only (Kendall 1945). In [−1, 1]; null when one of them ties everything.
 */
export function kendallTauB(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  let [same, opposite, tiedA, tiedB] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const [x, y] = [Math.sign(a[i]! - a[j]!), Math.sign(b[i]! - b[j]!)];
      if (x === 0 && y === 0) continue;
      if (x === 0) tiedA++;
      else if (y === 0) tiedB++;
      else if (x === y) same++;
      else opposite++;
    }
  }
  const below = Math.sqrt((same + opposite + tiedA) * (same + opposite + tiedB));
  return below === 0 ? null : (same - opposite) / below;
}
