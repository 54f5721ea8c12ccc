import { float32, int64, sizeOf, type Tensor } from '../../base/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { isUnitStride, type ConvGeometry } from './conv-shape.ts';

/**
 * Convolutions with 3 × 3 kernels by minimal filtering: Lavin and Gray 2016, "Fast algorithms for convolutional neural
 * networks". With tiles of m × m outputs, Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, summed over channels, takes (m + 2)² products for
 * m² outputs, where the definition takes 9 m²; the products are (m + 2)² matrix products over all tiles. The transforms
 * are products with the constant matrices Bᵀ⊗Bᵀ, G⊗G and Aᵀ⊗Aᵀ. Relative errors are about 4e-7 for m = 2, 1.5e-6 for m = 4.
 */
interface Tiling {
  readonly m: 2 | 4;
  /** Tiles along height and width of the output. */
  readonly rows: number;
  readonly columns: number;
}

interface Transforms {
  /** [(m+2)², (m+2)²], [(m+2)², 9], [m², (m+2)²]. */
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
}

type Matrix = readonly (readonly number[])[];

/** A⊗A, row-major. */
const twice = (a: Matrix): number[] =>
  a.flatMap((upper) => a.flatMap((lower) => upper.flatMap((x) => lower.map((y) => x * y))));

const transforms: Readonly<Record<2 | 4, Transforms>> = {
  2: {
    input: twice([
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ]),
    kernel: twice([
      [1, 0, 0],
      [0.5, 0.5, 0.5],
      [0.5, -0.5, 0.5],
      [0, 0, 1],
    ]),
    output: twice([
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ]),
  },
  4: {
    input: twice([
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ]),
    kernel: twice([
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ]),
    output: twice([
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ]),
  },
};

/**
 * Costs against one multiply-add of what a convolution by definition takes, measured on onnxruntime 1.29: per element of
 * tiles, of kernels and of the output, and per multiply-add of the products; `most`: the share of the definition's cost
 * from which on it is not worth it. Kernels that stay what they are need no transform, but leave a convolution that has its
 * own layout and what follows it in one node.
 */
const costs = {
  changing: { tile: 75, kernel: 40, output: 0, product: 1, most: 1 },
  fixed: { tile: 75, kernel: 5, output: 20, product: 1.4, most: 0.9 },
} as const;

/** How to tile a convolution, or undefined where onnxruntime's own is as fast: few channels, small batches. */
export function winogradTiling(
  g: GraphBuilder,
  x: Value,
  weight: Value,
  geo: ConvGeometry,
  kernels: keyof typeof costs = 'changing',
): Tiling | undefined {
  if (g.device !== 'cpu') return undefined;
  const [n = 1, c = 1, height = 1, width = 1] = x.shape;
  const m = weight.shape[0] ?? 1;
  const fits = geo.rank === 2 && geo.group === 1 && isUnitStride(geo) && geo.kernel.every((k) => k === 3);
  if (!fits || x.dtype !== 'float32' || geo.dilations.some((d) => d !== 1)) return undefined;
  if ([...geo.padBegin, ...geo.padEnd].some((pad) => pad > 2)) return undefined;
  const outputs = [height, width].map((size, i) => size + (geo.padBegin[i] ?? 0) + (geo.padEnd[i] ?? 0) - 2);
  const each = costs[kernels];
  const tiledBy = (tile: 2 | 4): Tiling & { cost: number } => {
    const [rows = 1, columns = 1] = outputs.map((size) => Math.ceil(size / tile));
    const tiles = n * rows * columns;
    const perPoint = tiles * (c + m) * each.tile + m * c * each.kernel + tiles * c * m * each.product;
    return { m: tile, rows, columns, cost: (tile + 2) ** 2 * perPoint + n * sizeOf(outputs) * m * each.output };
  };
  const [small, large] = [tiledBy(2), tiledBy(4)];
  const isLarge = kernels === 'fixed' ? large.cost < small.cost : Math.min(...outputs) >= 8;
  const { cost, ...tiling } = isLarge ? large : small;
  return cost < each.most * 9 * n * sizeOf(outputs) * c * m ? tiling : undefined;
}

/**
 * How to tile where the kernels are known before the graph runs. Held transformed, they take up to four times their
 * memory, in both directions: for graphs that may spend it.
 */
export function fixedTiling(g: GraphBuilder, x: Value, weight: Value, geo: ConvGeometry): Tiling | undefined {
  return g.spendsMemory ? winogradTiling(g, x, weight, geo, 'fixed') : undefined;
}

/** The convolution without bias, [N, M, o…]. `weight` [M, C, 3, 3]. */
export function winogradConv(g: GraphBuilder, x: Value, weight: Value, geo: ConvGeometry, tiling: Tiling): Value {
  const kernels = kernelTransform(g, weight, tiling, false);
  const tiles = inputTransform(g, x, geo.padBegin, tiling);
  const products = product(g, tiles, kernels, { isTurned: true, isFixed: g.isFixed(weight) });
  const outputs = [0, 1].map((i) => (x.shape[i + 2] ?? 1) + (geo.padBegin[i] ?? 0) + (geo.padEnd[i] ?? 0) - 2);
  return outputTransform(g, products, x.shape[0] ?? 1, outputs, tiling);
}

/**
 * Tiles [P, T, C] times kernels [P, C, M] ([P, M, C] if turned) is [P, T, M]. The second factor of a product is copied before:
 * where kernels are constants, and more than the tiles, it is the tiles that stand there.
 */
function product(
  g: GraphBuilder,
  tiles: Value,
  kernels: Value,
  { isTurned, isFixed }: { readonly isTurned: boolean; readonly isFixed: boolean },
): Value {
  const turn = (value: Value): Value => g.transpose(value, [0, 2, 1]);
  const filters = kernels.shape[isTurned ? 1 : 2] ?? 1;
  if (!isFixed || (tiles.shape[1] ?? 1) >= filters) return g.matmul(tiles, isTurned ? turn(kernels) : kernels);
  return turn(g.matmul(isTurned ? kernels : turn(kernels), turn(tiles)));
}

/** dX of the convolution whose cotangent is dY [N, M, o…]: the convolution with kernels flipped, their axes swapped. */
export function winogradInputGradient(
  g: GraphBuilder,
  dY: Value,
  weight: Value,
  geo: ConvGeometry,
  tiling: Tiling,
  shape: readonly number[],
): Value {
  const kernels = kernelTransform(g, weight, tiling, true);
  const begin = geo.padBegin.map((pad) => 2 - pad);
  const [rows = 1, columns = 1] = shape.slice(2).map((size) => Math.ceil(size / tiling.m));
  const own = { m: tiling.m, rows, columns };
  const products = product(g, inputTransform(g, dY, begin, own), kernels, {
    isTurned: false,
    isFixed: g.isFixed(weight),
  });
  return outputTransform(g, products, shape[0] ?? 1, shape.slice(2), own);
}

/** dW [M, C, 3, 3] = Gᵀ[Σ over tiles (A dY Aᵀ) ⊙ (Bᵀ d B)]G; the tiles of X are those of the forward pass. */
export function winogradKernelGradient(g: GraphBuilder, x: Value, dY: Value, geo: ConvGeometry, tiling: Tiling): Value {
  const [n = 1, c = 1] = x.shape;
  const [, m = 1, height = 1, width = 1] = dY.shape;
  const { m: tile, rows, columns } = tiling;
  const points = (tile + 2) ** 2;
  const tiles = n * rows * columns;
  const [tall, wide] = [rows * tile, columns * tile];
  const last = g.pad(g.transpose(dY, [0, 2, 3, 1]), [0, 0, 0, 0, 0, tall - height, wide - width, 0]);
  const places = kept(g, `cut/${n}/${rows}/${columns}/${tile}`, () => tilePlaces(n, tiling, tile));
  const cut = g.reshape(g.gather(g.reshape(last, [n * tall * wide, m]), places, 0), [tile * tile, tiles, m]);
  // Turned here, where there are fewest: a product with a turned first factor is slow if its rows are short.
  const pixels = g.reshape(g.transpose(cut, [0, 2, 1]), [tile * tile, m * tiles]);
  const spread = matrix(g, 'output', tiling);
  const rates = g.reshape(g.matmul(g.transpose(spread, [1, 0]), pixels), [points, m, tiles]);
  const sums = g.matmul(rates, inputTransform(g, x, geo.padBegin, tiling));
  const kernels = g.gemm(g.reshape(sums, [points, m * c]), matrix(g, 'kernel', tiling), { transA: true });
  return g.reshape(kernels, [m, c, 3, 3]);
}

/** Overlapping tiles of the padded image, transformed: [(m+2)², N·tiles, C]. */
function inputTransform(g: GraphBuilder, x: Value, padBegin: readonly number[], tiling: Tiling): Value {
  const [n = 1, c = 1, height = 1, width = 1] = x.shape;
  const { m, rows, columns } = tiling;
  const [top = 0, left = 0] = padBegin;
  const [tall, wide, side] = [rows * m + 2, columns * m + 2, m + 2];
  const padding = [0, top, left, 0, 0, tall - height - top, wide - width - left, 0];
  const padded = g.pad(g.transpose(x, [0, 2, 3, 1]), padding);
  const pixels = g.reshape(padded, [n * tall * wide, c]);
  const places = kept(g, `${n}/${rows}/${columns}/${m}`, () => tilePlaces(n, tiling, side));
  const tiles = g.reshape(g.gather(pixels, places, 0), [side * side, n * rows * columns * c]);
  return g.reshape(g.matmul(matrix(g, 'input', tiling), tiles), [side * side, n * rows * columns, c]);
}

/** Row of each element of tiles of side × side among the padded pixels, ordered [side², N, rows, columns]. */
function tilePlaces(n: number, { m, rows, columns }: Tiling, side: number): Tensor {
  const [tall, wide] = [(rows - 1) * m + side, (columns - 1) * m + side];
  const count = side * side * n * rows * columns;
  const places = BigInt64Array.from({ length: count }, (_, i) => {
    const column = i % columns;
    const row = Math.floor(i / columns) % rows;
    const image = Math.floor(i / (columns * rows)) % n;
    const point = Math.floor(i / (columns * rows * n));
    return BigInt((image * tall + row * m + Math.floor(point / side)) * wide + column * m + (point % side));
  });
  return int64([count], places);
}

/** [M, C, 3, 3] → [(m+2)², M, C]; the taps reversed for the input gradient. */
function kernelTransform(g: GraphBuilder, weight: Value, tiling: Tiling, reversed: boolean): Value {
  const [m = 1, c = 1] = weight.shape;
  const transform = matrix(g, reversed ? 'reversed' : 'kernel', tiling);
  const kernels = g.gemm(transform, g.reshape(weight, [m * c, 9]), { transB: true });
  return g.reshape(kernels, [(tiling.m + 2) ** 2, m, c]);
}

/** [(m+2)², N·tiles, M] → [N, M, o…]. */
function outputTransform(
  g: GraphBuilder,
  products: Value,
  n: number,
  outputs: readonly number[],
  tiling: Tiling,
): Value {
  const [points = 1, tiles = 1, channels = 1] = products.shape;
  const side = tiling.m;
  const tiled = g.matmul(matrix(g, 'output', tiling), g.reshape(products, [points, tiles * channels]));
  const [height = 1, width = 1] = outputs;
  const key = `whole/${n}/${height}/${width}/${tiling.rows}/${tiling.columns}/${side}`;
  const places = kept(g, key, () => pixelPlaces(n, outputs, tiling));
  const pixels = g.gather(g.reshape(tiled, [side * side * tiles, channels]), places, 0);
  const last = g.reshape(pixels, [n, height * width, channels]);
  return g.reshape(g.transpose(last, [0, 2, 1]), [n, channels, height, width]);
}

/** Where each pixel, ordered [N, o…], stands among the elements of tiles without overlap, [m², N, rows, columns]. */
function pixelPlaces(n: number, [height = 1, width = 1]: readonly number[], { m, rows, columns }: Tiling): Tensor {
  const places = BigInt64Array.from({ length: n * height * width }, (_, i) => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    const image = Math.floor(i / (width * height));
    const point = (y % m) * m + (x % m);
    return BigInt(((point * n + image) * rows + Math.floor(y / m)) * columns + Math.floor(x / m));
  });
  return int64([places.length], places);
}

function matrix(g: GraphBuilder, which: keyof Transforms | 'reversed', { m }: Tiling): Value {
  const points = (m + 2) ** 2;
  const make = (): Tensor => {
    const { input, kernel, output } = transforms[m];
    if (which === 'input') return float32([points, points], input);
    if (which === 'output') return float32([m * m, points], output);
    const taps = which === 'kernel' ? kernel : kernel.map((_, i) => kernel[i - (i % 9) + 8 - (i % 9)] ?? 0);
    return float32([points, 9], taps);
  };
  return kept(g, `${which}/${m}`, make);
}

const made = new WeakMap<GraphBuilder, Map<string, Value>>();

/** A constant that many layers of one graph share. */
function kept(g: GraphBuilder, key: string, make: () => Tensor): Value {
  const known = made.get(g) ?? new Map<string, Value>();
  made.set(g, known);
  const value = known.get(key) ?? g.constant(make());
  known.set(key, value);
  return value;
}
