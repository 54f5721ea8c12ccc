/**
 * The smallest step from a point to a hyperplane inside a box: min ‖d‖ subject to ⟨w, t + d⟩ = b and low ≤ t + d ≤ high (Croce
 * & Hein 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack", section 2). Where the box
 * does not reach the plane, d goes as far as the box lets it. d is written over `out`.
 *
 * Each |d_i| is min(room_i, what λ asks for), and ⟨w, d⟩ grows with λ along a concave line of pieces: Newton from below meets
 * the right λ after a few pieces, without sorting.
 */
export function stepToHyperplane(
  norm: 'linf' | 'l2' | 'l1',
  t: Float32Array,
  w: Float32Array,
  b: number,
  [low, high]: readonly [number, number],
  out: Float32Array,
): void {
  let gap = -b;
  for (let i = 0; i < t.length; i++) gap += w[i]! * t[i]!;
  const sign = gap >= 0 ? 1 : -1;
  const distance = Math.abs(gap);
  // Where coordinate i may go: against w when the point lies above the plane.
  const goesDown = (i: number): boolean => w[i]! * sign > 0;
  const room = (i: number): number => Math.max(0, goesDown(i) ? t[i]! - low : high - t[i]!);
  if (norm === 'l1') {
    fillGreedily(w, distance, room, out);
  } else {
    const isLinf = norm === 'linf';
    let lambda = 0;
    for (let round = 0; round < 100; round++) {
      let [reached, slope] = [0, 0];
      for (let i = 0; i < t.length; i++) {
        const weight = Math.abs(w[i]!);
        if (weight === 0) continue;
        const asked = isLinf ? lambda : lambda * weight;
        const limit = room(i);
        if (asked < limit) {
          reached += weight * asked;
          slope += isLinf ? weight : weight * weight;
        } else reached += weight * limit;
      }
      if (slope === 0 || distance - reached <= 1e-12 * distance) break;
      const next = lambda + (distance - reached) / slope;
      if (next <= lambda) break;
      lambda = next;
    }
    for (let i = 0; i < t.length; i++) {
      const weight = Math.abs(w[i]!);
      out[i] = weight === 0 ? 0 : Math.min(room(i), isLinf ? lambda : lambda * weight);
    }
  }
  for (let i = 0; i < t.length; i++) if (goesDown(i)) out[i] = -out[i]!;
}

/** l1: the coordinates of the largest weights give all the room they have, the last one what is still missing. */
function fillGreedily(w: Float32Array, distance: number, room: (i: number) => number, out: Float32Array): void {
  out.fill(0);
  const order = Array.from(w.keys()).sort((i, j) => Math.abs(w[j]!) - Math.abs(w[i]!));
  let missing = distance;
  for (const i of order) {
    const weight = Math.abs(w[i]!);
    if (missing <= 0 || weight === 0) return;
    const given = Math.min(room(i), missing / weight);
    out[i] = given;
    missing -= given * weight;
  }
}
