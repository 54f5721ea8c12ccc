import { int64 } from '../../base/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';

/**
 * The four neighbours of each sampling point, in an image that is padded with one zero before and two after, as flat
 * positions [N, 4, P], and how far the point lies from the first of them, along x and y [N, 1, P]. Points beyond the
 * zero border are moved onto it.
 */
interface Corners {
  readonly positions: Value;
  readonly alongX: Value;
  readonly alongY: Value;
  readonly padded: { readonly height: number; readonly width: number };
  /** Pixels per unit of the grid. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** 1 where the point moves with the grid, 0 where it was moved onto the border. */
  readonly freeX: Value;
  readonly freeY: Value;
}

function corners(g: GraphBuilder, image: readonly number[], grid: Value, alignCorners: boolean): Corners {
  const [, , height = 1, width = 1] = image;
  const [n = 1, rows = 1, columns = 1] = grid.shape;
  const points = rows * columns;
  const padded = { height: height + 3, width: width + 3 };
  const along = (component: number, size: number) => {
    const coordinate = g.reshape(g.slice(grid, [3], [component], [component + 1]), [n, 1, points]);
    // Pixel place, plus 1 for the padding: −1 and 1 are the centres or the outer edges of the border pixels.
    const scale = alignCorners ? (size - 1) / 2 : size / 2;
    const place = g.add(g.mul(coordinate, scale), (size - 1) / 2 + 1);
    const held = g.clip(place, 0, size + 1);
    const low = g.floor(held);
    const free = g.cast(g.and(g.greaterOrEqual(place, 0), g.lessOrEqual(place, size + 1)), grid.dtype);
    return { low, fraction: g.sub(held, low), scale, free };
  };
  const [x, y] = [along(0, width), along(1, height)];
  const first = g.cast(g.add(g.mul(y.low, padded.width), x.low), 'int64');
  const offsets = g.constant(int64([1, 4, 1], [0, 1, padded.width, padded.width + 1]));
  return {
    positions: g.add(first, offsets),
    alongX: x.fraction,
    alongY: y.fraction,
    padded,
    scaleX: x.scale,
    scaleY: y.scale,
    freeX: x.free,
    freeY: y.free,
  };
}

/** Weights [N, 4, P] of the four corners. */
function weights(g: GraphBuilder, { alongX, alongY }: Corners): Value {
  const both = g.mul(alongX, alongY);
  const [right, below] = [g.sub(alongX, both), g.sub(alongY, both)];
  return g.concat([g.sub(g.sub(1, alongX), below), right, below, both], 1);
}

/** Positions for images flattened to [N·C, padded]: every channel reads the same ones. */
function perChannel(g: GraphBuilder, positions: Value, channels: number): Value {
  const [n = 1, four = 4, points = 1] = positions.shape;
  const wide = g.expand(g.reshape(positions, [n, 1, four * points]), [n, channels, four * points]);
  return g.reshape(wide, [n * channels, four * points]);
}

/** The four neighbours' values [N, C, 4, P]. */
function neighbours(g: GraphBuilder, image: Value, at: Corners): Value {
  const [n = 1, channels = 1] = image.shape;
  const [, , points = 1] = at.positions.shape;
  const flat = g.reshape(g.pad(image, [0, 0, 1, 1, 0, 0, 2, 2]), [n * channels, at.padded.height * at.padded.width]);
  return g.reshape(g.gatherElements(flat, perChannel(g, at.positions, channels), 1), [n, channels, 4, points]);
}

/**
 * GridSample (bilinear, zeros outside) of an image [N, C, H, W] at grid [N, h, w, 2] as gathers: when the gradient is wanted
 * as well it is cheaper than the operator, since both use the same positions and weights.
 */
export function sampleBilinear(g: GraphBuilder, image: Value, grid: Value, alignCorners = false): Value {
  const [n = 1, channels = 1] = image.shape;
  const [, rows = 1, columns = 1] = grid.shape;
  const at = corners(g, image.shape, grid, alignCorners);
  const w = g.reshape(weights(g, at), [n, 1, 4, rows * columns]);
  return g.reshape(g.reduceSum(g.mul(neighbours(g, image, at), w), [2]), [n, channels, rows, columns]);
}

/** Gradients of GridSample for the cotangent [N, C, h, w]; each is built when it is asked for. */
export function bilinearGradients(
  g: GraphBuilder,
  image: Value,
  grid: Value,
  dY: Value,
  alignCorners: boolean,
): { dX: () => Value; dGrid: () => Value } {
  const [n = 1, channels = 1, height = 1, width = 1] = image.shape;
  const [, rows = 1, columns = 1] = grid.shape;
  const points = rows * columns;
  const at = corners(g, image.shape, grid, alignCorners);
  const cotangent = g.reshape(dY, [n, channels, 1, points]);
  const dX = (): Value => {
    const updates = g.mul(cotangent, g.reshape(weights(g, at), [n, 1, 4, points]));
    const zeros = g.full([n * channels, at.padded.height * at.padded.width], 0, image.dtype);
    const positions = perChannel(g, at.positions, channels);
    const sums = g.scatterElements(zeros, positions, g.reshape(updates, [n * channels, 4 * points]), 1, 'add');
    const shaped = g.reshape(sums, [n, channels, at.padded.height, at.padded.width]);
    return g.slice(shaped, [2, 3], [1, 1], [height + 1, width + 1]);
  };
  const dGrid = (): Value => {
    const values = neighbours(g, image, at);
    const corner = (i: number): Value => g.reshape(g.slice(values, [2], [i], [i + 1]), [n, channels, points]);
    const [a, b, c, d] = [corner(0), corner(1), corner(2), corner(3)];
    const [x, y] = [at.alongX, at.alongY];
    const flat = g.reshape(dY, [n, channels, points]);
    const slope = (near: Value, far: Value, other: Value, free: Value, scale: number): Value => {
      const perPixel = g.add(near, g.mul(other, g.sub(far, near)));
      const sum = g.reduceSum(g.mul(flat, perPixel), [1]);
      return g.reshape(g.mul(g.mul(sum, g.reshape(free, [n, points])), scale), [n, rows, columns, 1]);
    };
    const dx = slope(g.sub(b, a), g.sub(d, c), y, at.freeX, at.scaleX);
    const dy = slope(g.sub(c, a), g.sub(d, b), x, at.freeY, at.scaleY);
    return g.concat([dx, dy], 3);
  };
  return { dX, dGrid };
}
