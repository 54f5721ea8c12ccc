/**
 * The attacks that run as Loops, one image and one step at a time in float64, as their papers write them: what the Loops are
 * compared with. Each gives the size of the smallest adversarial perturbation, Infinity without one.
 */
export type Norm = 'linf' | 'l2' | 'l1';
export type Box = readonly [number, number];
export type Vector = readonly number[];

export interface Answer {
  readonly logits: Vector;
  readonly isFooled: boolean;
}

/** What is asked of the model about one image. */
export interface Oracle {
  /** max_{j≠y} z_j − z_y, or −log softmax(z)_y, and its gradient. */
  gradient(objective: 'margin' | 'cross-entropy', x: Vector): Promise<Answer & { loss: number; slope: Vector }>;
  /** The gradient of z_other − z_y. */
  difference(x: Vector, other: number): Promise<Answer & { gap: number; normal: Vector }>;
}

const sum = (v: Vector): number => v.reduce((a, b) => a + b, 0);
const dot = (a: Vector, b: Vector): number => sum(a.map((value, i) => value * b[i]!));
const minus = (a: Vector, b: Vector): Vector => a.map((value, i) => value - b[i]!);
const clip = (v: Vector, [low, high]: Box): Vector => v.map((value) => Math.min(Math.max(value, low), high));
export const sizeOf = (norm: Norm, d: Vector): number => {
  if (norm === 'linf') return Math.max(...d.map(Math.abs));
  return norm === 'l1' ? sum(d.map(Math.abs)) : Math.sqrt(dot(d, d));
};
const cosine = (first: number, last: number, step: number, steps: number): number =>
  last + 0.5 * (first - last) * (1 + Math.cos((Math.PI * step) / steps));

/** The smallest t from 0 on at which a rising function is not below the goal; `most` where it stays below. */
function rising(goal: number, most: number, at: (t: number) => number): number {
  let [low, high] = [0, most];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (at(middle) < goal) low = middle;
    else high = middle;
  }
  return high;
}

/** Nearest point of the ball around zero. */
function intoBall(norm: Norm, d: Vector, radius: number): Vector {
  if (sizeOf(norm, d) <= radius) return d;
  if (norm === 'linf') return clip(d, [-radius, radius]);
  if (norm === 'l2') return d.map((value) => (value * radius) / sizeOf('l2', d));
  const shrunk = (t: number): Vector => d.map((value) => Math.sign(value) * Math.max(0, Math.abs(value) - t));
  return shrunk(rising(-radius, sizeOf('linf', d), (t) => -sizeOf('l1', shrunk(t))));
}

/** The smallest step to ⟨w, x⟩ = ⟨w, from⟩ − gap in the box. */
export function toPlane(norm: Norm, from: Vector, w: Vector, gap: number, [low, high]: Box): Vector {
  const way = w.map((value) => -Math.sign(value * (gap >= 0 ? 1 : -1)));
  const room = way.map((sign, i) => (sign < 0 ? from[i]! - low : high - from[i]!));
  const sizes = w.map(Math.abs);
  const goal = Math.abs(gap);
  const moved = (asked: (i: number) => number): Vector => way.map((sign, i) => sign * Math.min(room[i]!, asked(i)));
  const reach = (d: Vector): number => Math.abs(dot(d, w));
  if (norm !== 'l1') {
    const at = (t: number): Vector => moved((i) => (norm === 'linf' ? t : t * sizes[i]!));
    return at(rising(goal, 1e6, (t) => reach(at(t))));
  }
  const order = [...w.keys()].sort((i, j) => sizes[j]! - sizes[i]!);
  let missing = goal;
  const given = w.map(() => 0);
  for (const i of order) {
    given[i] = Math.min(room[i]!, missing / Math.max(sizes[i]!, 1e-30));
    missing = Math.max(0, missing - given[i] * sizes[i]!);
  }
  return moved((i) => given[i]!);
}

/** Rony et al. 2019, algorithm 1. */
export async function plainDdn(ask: Oracle, clean: Vector, box: Box, steps: number): Promise<number> {
  const width = box[1] - box[0];
  let [delta, radius, best] = [clean.map(() => 0), width, Infinity];
  for (let step = 0; step < steps; step++) {
    const { slope, isFooled } = await ask.gradient('cross-entropy', sumOf(clean, delta));
    if (isFooled) best = Math.min(best, sizeOf('l2', delta));
    const rate = (cosine(1, 0.01, step, steps) * width) / sizeOf('l2', slope);
    const moved = delta.map((value, i) => value + rate * slope[i]!);
    radius *= isFooled ? 0.95 : 1.05;
    const scale = radius / sizeOf('l2', moved);
    delta = [...minus(clip(sumOf(clean, moved, scale), box), clean)];
  }
  return best;
}

const sumOf = (a: Vector, b: Vector, scale = 1): Vector => a.map((value, i) => value + scale * b[i]!);
const dual = { linf: 'l1', l2: 'l2', l1: 'linf' } as const;

/** Pintor et al. 2021, algorithm 1, but for the thousandth past the boundary. */
export async function plainFmn(ask: Oracle, clean: Vector, box: Box, steps: number, norm: Norm): Promise<number> {
  const width = box[1] - box[0];
  let delta: Vector = clean.map(() => 0);
  let [radius, best] = [Infinity, Infinity];
  for (let step = 0; step < steps; step++) {
    const x = sumOf(clean, delta);
    const { slope, isFooled, loss } = await ask.gradient('margin', x);
    const size = sizeOf(norm, delta);
    if (isFooled) best = Math.min(best, size);
    const change = cosine(0.05, 0.001, step, steps);
    if (isFooled) radius = Math.min(radius * (1 - change), best);
    else if (best === Infinity) radius = 1.001 * (size + Math.abs(loss) / sizeOf(dual[norm], slope));
    else radius *= 1 + change;
    const rate = (cosine(1, 0.01, step, steps) * width) / sizeOf('l2', slope);
    delta = intoBall(norm, minus(clip(sumOf(x, slope, rate), box), clean), radius);
  }
  return best;
}

export interface Search {
  readonly rounds: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly firstConstant: number;
  readonly confidence: number;
}

/** One round of the search for c: what is shown to the model, and what follows from the pull of the margin there. */
interface Round {
  image(): Vector;
  distance(d: Vector): number;
  move(pull: Vector, step: number): void;
}

async function plainSearch(ask: Oracle, clean: Vector, norm: Norm, search: Search, open: () => Round): Promise<number> {
  let [low, high, c, best] = [0, Infinity, search.firstConstant, Infinity];
  const window = Math.max(1, Math.floor(search.steps / 10));
  for (let round = 0; round < search.rounds; round++) {
    const way = open();
    let [hasWon, before] = [false, Infinity];
    for (let step = 0; step < search.steps; step++) {
      const x = way.image();
      const { loss: margin, slope, isFooled } = await ask.gradient('margin', x);
      const d = minus(x, clean);
      if (isFooled && margin >= search.confidence) [hasWon, best] = [true, Math.min(best, sizeOf(norm, d))];
      const missing = Math.max(0, search.confidence - margin);
      const loss = way.distance(d) + c * missing;
      way.move(
        slope.map((value) => (missing > 0 ? c * value : 0)),
        step,
      );
      if (step % window !== window - 1) continue;
      if (loss > 0.9999 * before) break;
      before = loss;
    }
    if (hasWon) high = Math.min(high, c);
    else low = Math.max(low, c);
    c = high === Infinity ? 10 * c : (low + high) / 2;
  }
  return best;
}

/** Carlini & Wagner 2017, section VI-A, by Adam. */
export function plainCarliniWagner(ask: Oracle, clean: Vector, box: Box, search: Search): Promise<number> {
  const [middle, half] = [(box[0] + box[1]) / 2, (box[1] - box[0]) / 2];
  return plainSearch(ask, clean, 'l2', search, () => {
    const w = clean.map((value) => Math.atanh((0.999999 * (value - middle)) / half));
    const [m, v] = [w.map(() => 0), w.map(() => 0)];
    const image = (): Vector => w.map((value) => middle + half * Math.tanh(value));
    return {
      image,
      distance: (d) => dot(d, d),
      move(pull, step) {
        image().forEach((x, i) => {
          const slope = (2 * (x - clean[i]!) - pull[i]!) * half * (1 - Math.tanh(w[i]!) ** 2);
          m[i] = 0.9 * m[i]! + 0.1 * slope;
          v[i] = 0.999 * v[i]! + 0.001 * slope * slope;
          const spread = Math.sqrt(v[i] / (1 - 0.999 ** (step + 1))) + 1e-8;
          w[i] = w[i]! - (search.learningRate * m[i]) / (1 - 0.9 ** (step + 1)) / spread;
        });
      },
    };
  });
}

/** Chen et al. 2018, section 4, with the gradient at the slack image. */
export function plainElasticNet(
  ask: Oracle,
  clean: Vector,
  box: Box,
  search: Search,
  beta: number,
  norm: Norm,
): Promise<number> {
  return plainSearch(ask, clean, norm, search, () => {
    let [x, y] = [clean, clean];
    return {
      image: () => y,
      distance: (d) => dot(d, d) + beta * sizeOf('l1', d),
      move(pull, step) {
        const rate = search.learningRate * Math.sqrt(1 - step / search.steps);
        const d = y.map((value, i) => value - rate * (2 * (value - clean[i]!) - pull[i]!) - clean[i]!);
        const shrunk = d.map((value) => Math.sign(value) * Math.max(0, Math.abs(value) - beta));
        const next = clip(sumOf(clean, shrunk), box);
        y = clip(sumOf(next, minus(next, x), step / (step + 3)), box);
        x = next;
      },
    };
  });
}

/**
 * Croce & Hein 2020b, algorithm 1, from the clean image: to the nearest of the planes of these classes, until what was found is
 * no larger than epsilon.
 */
export async function plainFab(
  ask: Oracle,
  clean: Vector,
  box: Box,
  { steps, norm, epsilon }: { readonly steps: number; readonly norm: Norm; readonly epsilon: number },
  others: readonly number[],
): Promise<number> {
  let [x, best] = [clean, Infinity];
  for (let step = 0; step < steps; step++) {
    const planes = await Promise.all(others.map((other) => ask.difference(x, other)));
    const far = (at: { gap: number; normal: Vector }): number => Math.abs(at.gap) / sizeOf(dual[norm], at.normal);
    const { normal, gap } = planes.reduce((a, b) => (far(b) < far(a) ? b : a));
    const near = toPlane(norm, x, normal, gap, box);
    const away = toPlane(norm, clean, normal, gap + dot(normal, minus(clean, x)), box);
    const [a, b] = [Math.max(sizeOf(norm, near), 1e-8), Math.max(sizeOf(norm, away), 1e-8)];
    const alpha = Math.min(a / (a + b), 0.1);
    const mixed = x.map((value, i) => (1 - alpha) * (value + 1.05 * near[i]!) + alpha * (clean[i]! + 1.05 * away[i]!));
    x = clip(mixed, box);
    if (!(await ask.gradient('margin', x)).isFooled) continue;
    best = Math.min(best, sizeOf(norm, minus(x, clean)));
    if (best <= epsilon) return best;
    x = sumOf(clean, minus(x, clean), 0.9);
  }
  return Infinity;
}

/** Moosavi-Dezfooli et al. 2016, algorithm 2, with steps that stay in the box. */
export async function plainDeepFool(
  ask: Oracle,
  clean: Vector,
  box: Box,
  steps: number,
  norm: Norm,
  others: readonly number[],
): Promise<number> {
  let [r, x]: Vector[] = [clean.map(() => 0), clean];
  for (let step = 0; step < steps && r && x; step++) {
    const here: Vector = x;
    const planes = await Promise.all(others.map((other) => ask.difference(here, other)));
    const ways = planes.map(({ normal, gap }) => toPlane(norm, here, normal, gap, box));
    r = sumOf(
      r,
      ways.reduce((a, b) => (sizeOf(norm, b) < sizeOf(norm, a) ? b : a)),
    );
    x = clip(sumOf(clean, r, 1.02), box);
    if ((await ask.gradient('margin', x)).isFooled) return sizeOf(norm, minus(x, clean));
  }
  return Infinity;
}
