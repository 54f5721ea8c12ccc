import type { Rng } from '../base/rng.ts';

/** Random fields: each fills a plane [height, width] with values in [0, 1]. */
export type Field = (rng: Rng, out: Float32Array, height: number, width: number) => void;

const between = (rng: Rng, low: number, high: number): number => low + (high - low) * rng.uniform();
const unit = (value: number): number => Math.min(1, Math.max(0, value));

/** Stretches a plane so that its smallest value is 0 and its largest 1. */
function stretch(out: Float32Array): void {
  let [low, high] = [Infinity, -Infinity];
  for (const value of out) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const span = high > low ? high - low : 1;
  for (let i = 0; i < out.length; i++) out[i] = (out[i]! - low) / span;
}

/** Independent U[0, 1]: the plain random-noise pool. */
export const uniformNoise: Field = (rng, out) => {
  for (let i = 0; i < out.length; i++) out[i] = rng.uniform();
};

/** Independent normal values with mean in [0.1, 0.9] and deviation in [0.02, 0.5], clamped. */
export const gaussianNoise: Field = (rng, out) => {
  const mean = between(rng, 0.1, 0.9);
  const deviation = between(rng, 0.02, 0.5);
  for (let i = 0; i < out.length; i++) out[i] = unit(mean + deviation * rng.normal());
};

function gaussianKernel(sigma: number): Float32Array {
  const radius = Math.ceil(3 * sigma);
  const kernel = Float32Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  );
  const total = kernel.reduce((a, b) => a + b, 0);
  return kernel.map((value) => value / total);
}

/** Blurs along one axis; positions outside take the value of the nearest edge. */
function blurAxis(
  from: Float32Array,
  to: Float32Array,
  kernel: Float32Array,
  lines: number,
  length: number,
  lineStep: number,
  step: number,
): void {
  const radius = (kernel.length - 1) / 2;
  const padded = new Float32Array(length + 2 * radius);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < padded.length; i++)
      padded[i] = from[line * lineStep + Math.min(length - 1, Math.max(0, i - radius)) * step]!;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * padded[i + k]!;
      to[line * lineStep + i * step] = sum;
    }
  }
}

/** Uniform noise under a Gaussian blur of sigma 1 to 6 pixels, stretched to [0, 1]. */
export const smoothNoise: Field = (rng, out, height, width) => {
  const kernel = gaussianKernel(between(rng, 1, 6));
  uniformNoise(rng, out, height, width);
  const middle = new Float32Array(out.length);
  blurAxis(out, middle, kernel, height, width, width, 1);
  blurAxis(middle, out, kernel, width, height, 1, width);
  stretch(out);
};

const cosineTables = new Map<number, Float32Array>();

/** cos(π (i + ½) u / n) at [u, i]; a cache, the same for every caller. */
function cosines(n: number): Float32Array {
  const known = cosineTables.get(n);
  if (known) return known;
  const table = new Float32Array(n * n);
  for (let u = 0; u < n; u++) for (let i = 0; i < n; i++) table[u * n + i] = Math.cos((Math.PI * (i + 0.5) * u) / n);
  if (cosineTables.size > 8) cosineTables.clear();
  cosineTables.set(n, table);
  return table;
}

/** 1/f noise: a cosine transform with normal coefficients divided by their frequency, stretched to [0, 1]. */
export const pinkNoise: Field = (rng, out, height, width) => {
  const [rows, columns] = [cosines(height), cosines(width)];
  const middle = new Float32Array(height * width);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      if (u === 0 && v === 0) continue;
      const weight = rng.normal() / Math.sqrt((v / height) ** 2 + (u / width) ** 2);
      for (let x = 0; x < width; x++) middle[v * width + x] = middle[v * width + x]! + weight * columns[u * width + x]!;
    }
  }
  out.fill(0);
  for (let v = 0; v < height; v++) {
    for (let y = 0; y < height; y++) {
      const weight = rows[v * height + y]!;
      for (let x = 0; x < width; x++) out[y * width + x] = out[y * width + x]! + weight * middle[v * width + x]!;
    }
  }
  stretch(out);
};

/** A straight or radial ramp between two random values. */
export const gradient: Field = (rng, out, height, width) => {
  const [from, to] = [rng.uniform(), rng.uniform()];
  const angle = between(rng, 0, 2 * Math.PI);
  const isRadial = rng.uniform() < 0.35;
  const [cx, cy] = [rng.uniform() * width, rng.uniform() * height];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const share = isRadial
        ? Math.sqrt((x - cx) ** 2 + (y - cy) ** 2) / Math.sqrt(width ** 2 + height ** 2)
        : 0.5 + 0.5 * ((cos * (2 * x + 1 - width)) / width + (sin * (2 * y + 1 - height)) / height);
      out[y * width + x] = from + (to - from) * unit(share);
    }
  }
};

/** A cosine wave of random direction, wavelength and phase under a random Gaussian window. */
export const gabor: Field = (rng, out, height, width) => {
  const size = Math.min(height, width);
  const angle = between(rng, 0, Math.PI);
  const wavelength = between(rng, 3, Math.max(4, size / 2));
  const phase = between(rng, 0, 2 * Math.PI);
  const sigma = between(rng, 0.12, 0.6) * size;
  const [cx, cy] = [between(rng, 0.25, 0.75) * width, between(rng, 0.25, 0.75) * height];
  const amplitude = between(rng, 0.2, 0.5);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = x - cx;
      const dy = y - cy;
      const window = Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
      out[y * width + x] = unit(
        0.5 + amplitude * window * Math.cos((2 * Math.PI * (cos * dx + sin * dy)) / wavelength + phase),
      );
    }
  }
};

/** Two values on a turned board of cells of random size. */
export const checkerboard: Field = (rng, out, height, width) => {
  const size = Math.min(height, width);
  const [cellX, cellY] = [between(rng, 1.5, Math.max(2, size / 2)), between(rng, 1.5, Math.max(2, size / 2))];
  const angle = rng.uniform() < 0.5 ? 0 : between(rng, 0, Math.PI / 2);
  const [shiftX, shiftY] = [rng.uniform() * cellX, rng.uniform() * cellY];
  const [dark, light] = [between(rng, 0, 0.5), between(rng, 0.5, 1)];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = Math.floor((cos * x + sin * y + shiftX) / cellX) + Math.floor((cos * y - sin * x + shiftY) / cellY);
      out[y * width + x] = cell % 2 === 0 ? dark : light;
    }
  }
};

/** A uniform grid of 2 × 2 to 7 × 7 values, upsampled smoothly. */
export const blobs: Field = (rng, out, height, width) => {
  const [rows, columns] = [2 + rng.int(6), 2 + rng.int(6)];
  const grid = Float32Array.from({ length: rows * columns }, () => rng.uniform());
  for (let y = 0; y < height; y++) {
    const v = ((y + 0.5) / height) * (rows - 1);
    const [row, fy] = [Math.min(rows - 2, Math.floor(v)), v - Math.min(rows - 2, Math.floor(v))];
    const sy = fy * fy * (3 - 2 * fy);
    for (let x = 0; x < width; x++) {
      const u = ((x + 0.5) / width) * (columns - 1);
      const column = Math.min(columns - 2, Math.floor(u));
      const fx = u - column;
      const sx = fx * fx * (3 - 2 * fx);
      const at = row * columns + column;
      const top = grid[at]! + (grid[at + 1]! - grid[at]!) * sx;
      const bottom = grid[at + columns]! + (grid[at + columns + 1]! - grid[at + columns]!) * sx;
      out[y * width + x] = top + (bottom - top) * sy;
    }
  }
};
