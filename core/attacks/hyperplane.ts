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
  const weight = new Float64Array(t.length);
  const room = new Float64Array(t.length);
  for (let i = 0; i < t.length; i++) {
    weight[i] = Math.abs(w[i]!);
    // Against w when the point lies above the plane.
    room[i] = Math.max(0, w[i]! * sign > 0 ? t[i]! - low : high - t[i]!);
  }
  if (norm === 'l1') fillGreedily(weight, distance, room, out);
  else {
    const lambda = multiplier(norm === 'linf', weight, distance, room);
    for (let i = 0; i < t.length; i++) {
      out[i] = weight[i] === 0 ? 0 : Math.min(room[i]!, norm === 'linf' ? lambda : lambda * weight[i]!);
    }
  }
  for (let i = 0; i < t.length; i++) if (w[i]! * sign > 0) out[i] = -out[i]!;
}

function multiplier(isLinf: boolean, weight: Float64Array, distance: number, room: Float64Array): number {
  let lambda = 0;
  for (let round = 0; round < 100; round++) {
    let [reached, slope] = [0, 0];
    for (let i = 0; i < weight.length; i++) {
      const each = weight[i]!;
      const asked = isLinf ? lambda : lambda * each;
      const limit = room[i]!;
      if (asked < limit) {
        reached += each * asked;
        slope += isLinf ? each : each * each;
      } else reached += each * limit;
    }
    if (slope === 0 || distance - reached <= 1e-12 * distance) break;
    const next = lambda + (distance - reached) / slope;
    if (next <= lambda) break;
    lambda = next;
  }
  return lambda;
}

/** l1: the coordinates of the largest weights give all the room they have, the last one what is still missing. */
function fillGreedily(weight: Float64Array, distance: number, room: Float64Array, out: Float32Array): void {
  out.fill(0);
  const order = Array.from(weight.keys()).sort((i, j) => weight[j]! - weight[i]!);
  let missing = distance;
  for (const i of order) {
    if (missing <= 0 || weight[i] === 0) return;
    const given = Math.min(room[i]!, missing / weight[i]!);
    out[i] = given;
    missing -= given * weight[i]!;
  }
}
