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
  const { weight, room, free } = workspace(t.length);
  let freeCount = 0;
  for (let i = 0; i < t.length; i++) {
    const each = w[i]! * sign;
    weight[i] = Math.abs(each);
    // Against w when the point lies above the plane.
    room[i] = Math.max(0, each > 0 ? t[i]! - low : high - t[i]!);
    if (each !== 0 && room[i]! > 0) free[freeCount++] = i;
  }
  if (norm === 'l1') fillGreedily(weight, distance, room, out);
  else {
    const isLinf = norm === 'linf';
    const lambda = multiplier(isLinf, distance, freeCount);
    for (let i = 0; i < t.length; i++) {
      out[i] = weight[i] === 0 ? 0 : Math.min(room[i]!, isLinf ? lambda : lambda * weight[i]!);
    }
  }
  for (let i = 0; i < t.length; i++) if (w[i]! * sign > 0) out[i] = -out[i]!;
}

/** What one step works on; made once, as FAB takes two steps for each image, class and iteration. */
let space = { weight: new Float64Array(0), room: new Float64Array(0), free: new Int32Array(0) };

function workspace(size: number): typeof space {
  if (space.weight.length !== size)
    space = { weight: new Float64Array(size), room: new Float64Array(size), free: new Int32Array(size) };
  return space;
}

/** λ by Newton's steps from below: what has used up its room stays so, and only the `count` free coordinates are looked at. */
function multiplier(isLinf: boolean, distance: number, count: number): number {
  const { weight, room, free } = space;
  let [lambda, settled, left] = [0, 0, count];
  for (let round = 0; round < 100; round++) {
    let [reached, slope, kept] = [0, 0, 0];
    for (let at = 0; at < left; at++) {
      const i = free[at]!;
      const each = weight[i]!;
      const asked = isLinf ? lambda : lambda * each;
      if (asked < room[i]!) {
        reached += each * asked;
        slope += isLinf ? each : each * each;
        free[kept++] = i;
      } else settled += each * room[i]!;
    }
    left = kept;
    const missing = distance - settled - reached;
    if (slope === 0 || missing <= 1e-12 * distance) break;
    const next = lambda + missing / slope;
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
