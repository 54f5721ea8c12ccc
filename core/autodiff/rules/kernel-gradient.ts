import { sizeOf, int64 } from '../../base/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { depthwiseKernelGradient } from './depthwise-gradient.ts';
import { attributesOf, isPointwise, isUnitStride, span, type ConvGeometry } from './conv-shape.ts';

/**
 * dW of a convolution, [M, C/group, k…], from its input X [N, C, large…] and cotangent dY [N, M, small…]: the product of
 * dY with the patches of X under each position of the kernel, summed over images and positions. What differs is how the
 * patches are laid out. onnxruntime copies runs of memory fast and single numbers slowly, so the innermost axis is the
 * longest one there is: images where channels are few, channels where they are many. Its derivatives are convolutions.
 */
export function kernelGradient(g: GraphBuilder, large: Value, dY: Value, geo: ConvGeometry): Value {
  const [n = 1, c = 1] = large.shape;
  const positions = sizeOf(dY.shape.slice(2));
  const slices = (): Value => g.derived(bySlices(g, large, dY, geo), 'KernelGradient', [large, dY], attributesOf(geo));
  if (geo.group > 1) {
    const depthwise = depthwiseKernelGradient(g, large, dY, geo);
    if (!depthwise) return slices();
    const { value, isSteady } = depthwise;
    return g.alternative(value, slices(), isSteady ? () => value : undefined);
  }
  if (isPointwise(geo)) return pointwise(g, large, dY);
  const patchSize = c * sizeOf(geo.kernel) * positions;
  if (c < 32) {
    const images = Math.min(n, Math.floor(cacheFriendly / patchSize));
    if (images >= 16) return g.alternative(byImages(g, large, dY, geo, images), slices());
    return slices();
  }
  if (positions > 256 || n === 1) return slices();
  const images = Math.min(n, Math.max(1, Math.floor(cacheFriendly / patchSize)));
  const whole = (): Value => byChannels(g, large, dY, geo, n);
  return g.alternative(byChannels(g, large, dY, geo, images), slices(), whole);
}

/** Floats of patches made at a time: about what stays in the second-level cache until it is used. */
const cacheFriendly = 1.26e6;

/** Patches [C·taps, positions·N], images innermost; one Gemm for each chunk of at most `most` images. */
function byImages(g: GraphBuilder, large: Value, dY: Value, geo: ConvGeometry, most: number): Value {
  const [, c = 1] = large.shape;
  const [, m = 1, ...small] = dY.shape;
  const padded = padFor(g, large, geo, small);
  const plane = padded.shape.slice(2);
  const [area, positions, taps] = [sizeOf(plane), sizeOf(small), sizeOf(geo.kernel)];
  const map = patchMap(plane, small, geo);
  const rows = new BigInt64Array(c * taps * positions);
  for (let channel = 0; channel < c; channel++) {
    for (let tap = 0; tap < taps; tap++) {
      for (let at = 0; at < positions; at++)
        rows[(channel * taps + tap) * positions + at] = BigInt(channel * area + map(tap, at));
    }
  }
  const indices = g.constant(int64([rows.length], rows));
  const parts: Value[] = [];
  for (const [images, cotangents] of chunks(g, padded, dY, most)) {
    const size = images.shape[0] ?? 1;
    const pixels = g.transpose(g.reshape(images, [size, c * area]), [1, 0]);
    const patches = g.reshape(g.gather(pixels, indices, 0), [c * taps, positions * size]);
    const rates = g.reshape(g.transpose(g.reshape(cotangents, [size, m * positions]), [1, 0]), [m, positions * size]);
    parts.push(g.gemm(rates, patches, { transB: true }));
  }
  return g.reshape(g.sumOf(parts), [m, c, ...geo.kernel]);
}

/** Patches [N·positions, taps·C], channels innermost; one Gemm for each chunk of at most `most` images. */
function byChannels(g: GraphBuilder, large: Value, dY: Value, geo: ConvGeometry, most: number): Value {
  const [n = 1, c = 1] = large.shape;
  const [, m = 1, ...small] = dY.shape;
  const spatial = geo.kernel.map((_, i) => i + 2);
  const last = padFor(g, g.transpose(large, [0, ...spatial, 1]), geo, small, 1);
  const plane = last.shape.slice(1, -1);
  const [positions, taps] = [sizeOf(small), sizeOf(geo.kernel)];
  const map = patchMap(plane, small, geo);
  const rows = BigInt64Array.from({ length: positions * taps }, (_, i) => BigInt(map(i % taps, Math.floor(i / taps))));
  const indices = g.constant(int64([rows.length], rows));
  const rates = g.transpose(g.reshape(dY, [n, m, positions]), [0, 2, 1]);
  const parts: Value[] = [];
  for (const [images, cotangents] of chunks(g, g.reshape(last, [n, sizeOf(plane), c]), rates, most)) {
    const size = images.shape[0] ?? 1;
    const patches = g.reshape(g.gather(images, indices, 1), [size * positions, taps * c]);
    parts.push(g.gemm(g.reshape(cotangents, [size * positions, m]), patches, { transA: true }));
  }
  const summed = g.reshape(g.sumOf(parts), [m, taps, c]);
  return g.reshape(g.transpose(summed, [0, 2, 1]), [m, c, ...geo.kernel]);
}

/** Both cut along the images into nearly equal parts of at most `most`. */
function chunks(g: GraphBuilder, a: Value, b: Value, most: number): readonly (readonly [Value, Value])[] {
  const n = a.shape[0] ?? 1;
  const count = Math.ceil(n / most);
  if (count <= 1) return [[a, b]];
  const sizes = Array.from(
    { length: count },
    (_, i) => Math.floor(((i + 1) * n) / count) - Math.floor((i * n) / count),
  );
  const [as, bs] = [g.split(a, 0, sizes), g.split(b, 0, sizes)];
  return as.flatMap((part, i) => {
    const other = bs[i];
    return other ? [[part, other] as const] : [];
  });
}

/** (tap, output position) → index into the padded plane, all row-major. */
function patchMap(
  plane: readonly number[],
  small: readonly number[],
  geo: ConvGeometry,
): (tap: number, position: number) => number {
  const offset = (index: number, shape: readonly number[], steps: readonly number[]): number => {
    let [rest, total, pitch] = [index, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      total += (rest % size) * (steps[axis] ?? 1) * pitch;
      rest = Math.floor(rest / size);
      pitch *= plane[axis] ?? 1;
    }
    return total;
  };
  return (tap, position) => offset(tap, geo.kernel, geo.dilations) + offset(position, small, geo.strides);
}

/** A slice of X for each position of the kernel, then a batched product; also for groups. */
function bySlices(g: GraphBuilder, large: Value, dY: Value, geo: ConvGeometry): Value {
  const [n = 1, c = 1] = large.shape;
  const [, m = 1, ...small] = dY.shape;
  const { group } = geo;
  const [positions, taps, perGroup] = [sizeOf(small), sizeOf(geo.kernel), c / group];
  const padded = padFor(g, large, geo, small);
  const axes = geo.kernel.map((_, i) => i + 2);
  const columns = Array.from({ length: taps }, (_, tap) => {
    const starts = offsetsOf(tap, geo.kernel).map((k, i) => k * (geo.dilations[i] ?? 1));
    const ends = starts.map((start, i) => start + ((small[i] ?? 1) - 1) * (geo.strides[i] ?? 1) + 1);
    const slice = g.slice(padded, axes, starts, ends, isUnitStride(geo) ? undefined : geo.strides);
    return g.reshape(slice, [n, group, perGroup, positions]);
  });
  const patches = g.concat(columns, 2);
  const rates = g.reshape(dY, [n, group, m / group, positions]);
  // The longer side first: it is read as it lies, the other is packed.
  if (perGroup * taps > m / group) {
    const summed = g.reduceSum(g.matmul(patches, g.transpose(rates, [0, 1, 3, 2])), [0]);
    const split = g.reshape(summed, [group, taps, perGroup, m / group]);
    return g.reshape(g.transpose(split, [0, 3, 2, 1]), [m, perGroup, ...geo.kernel]);
  }
  const summed = g.reduceSum(g.matmul(rates, g.transpose(patches, [0, 1, 3, 2])), [0]);
  const split = g.reshape(summed, [m, taps, perGroup]);
  return g.reshape(g.transpose(split, [0, 2, 1]), [m, perGroup, ...geo.kernel]);
}

function pointwise(g: GraphBuilder, x: Value, dY: Value): Value {
  const [n = 1, c = 1, ...spatial] = x.shape;
  const m = dY.shape[1] ?? 1;
  const positions = sizeOf(spatial);
  const rows = g.reshape(g.transpose(g.reshape(dY, [n, m, positions]), [1, 0, 2]), [m, n * positions]);
  const columns = g.reshape(g.transpose(g.reshape(x, [n, c, positions]), [1, 0, 2]), [c, n * positions]);
  return g.reshape(g.gemm(rows, columns, { transB: true }), [m, c, ...spatial.map(() => 1)]);
}

/** Padding as the convolution saw it, spatial axes from `first` on; rows that no window reaches are left out by the maps. */
function padFor(g: GraphBuilder, x: Value, geo: ConvGeometry, small: readonly number[], first = 2): Value {
  const begin = x.shape.map((_, axis) => geo.padBegin[axis - first] ?? 0);
  const end = x.shape.map((have, axis) => {
    const [size, stride] = [small[axis - first], geo.strides[axis - first]];
    if (axis < first || size === undefined || stride === undefined) return 0;
    return Math.max(0, (size - 1) * stride + span(geo, axis - first) - (begin[axis] ?? 0) - have);
  });
  return g.pad(x, [...begin, ...end]);
}

function offsetsOf(tap: number, kernel: readonly number[]): number[] {
  const offsets: number[] = [];
  let rest = tap;
  for (let i = kernel.length - 1; i >= 0; i--) {
    offsets.unshift(rest % kernel[i]!);
    rest = Math.floor(rest / kernel[i]!);
  }
  return offsets;
}
