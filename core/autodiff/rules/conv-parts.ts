import { sizeOf, float32, tensor } from '../../base/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { arrayOf } from '../filled.ts';
import { upTo } from './node-parts.ts';
import { isPointwise, isUnitStride, span, type ConvGeometry } from './conv-shape.ts';

/**
 * dX of a convolution: the transposed convolution of the cotangent [N, M, small…] with the kernel [M, C/group, k…], of
 * shape [N, C, large…]. Wide stride-1 layers use Conv with the flipped kernel.
 */
export function transposedConv(
  g: GraphBuilder,
  dY: Value,
  weight: Value,
  geo: ConvGeometry,
  largeShape: readonly number[],
): Value {
  if (isUnitStride(geo) && flippedIsFaster(weight, geo, largeShape, dY.shape)) {
    const pads = [
      ...geo.padBegin.map((p, i) => span(geo, i) - 1 - p),
      ...geo.padEnd.map((p, i) => span(geo, i) - 1 - p),
    ];
    return g.conv(dY, flippedKernel(g, weight, geo.group), undefined, {
      pads,
      dilations: geo.dilations,
      group: geo.group,
    });
  }
  const smallShape = dY.shape;
  const pads = [...geo.padBegin, ...geo.padEnd];
  const outputPadding = geo.kernel.map((_, i) => {
    const produced = (smallShape[i + 2]! - 1) * geo.strides[i]! + span(geo, i) - geo.padBegin[i]! - geo.padEnd[i]!;
    return largeShape[i + 2]! - produced;
  });
  // Rows past the last window have no gradient: with a remainder of a full stride or more they are padded on.
  const inside = outputPadding.map((p, i) => Math.min(p, Math.max(geo.strides[i]!, geo.dilations[i]!) - 1));
  const dX = g.convTranspose(dY, weight, undefined, {
    strides: geo.strides,
    dilations: geo.dilations,
    pads,
    outputPadding: inside,
    group: geo.group,
  });
  const missing = outputPadding.map((p, i) => p - inside[i]!);
  return g.pad(dX, [0, 0, ...missing.map(() => 0), 0, 0, ...missing]);
}

/**
 * Measured on onnxruntime 1.30, one thread: Conv with the flipped kernel wins by up to 2 on layers of 16 input channels
 * and more, and by 3 to 20 on depthwise ones, most of all when the kernel is a constant; it loses by up to 10 on
 * narrow layers, whose channels are filled up to a block, and where the cotangent must be padded by much.
 */
function flippedIsFaster(
  weight: Value,
  geo: ConvGeometry,
  large: readonly number[],
  small: readonly number[],
): boolean {
  const margins = geo.padBegin.map((p, i) => Math.max(p, geo.padEnd[i] ?? 0) - span(geo, i) + 1);
  if (margins.some((margin) => margin > 0)) return false;
  if (geo.group > 1 || isPointwise(geo)) return true;
  const channels = weight.shape[1] ?? 1;
  return channels >= 16 && sizeOf(large.slice(2)) <= 1.6 * sizeOf(small.slice(2));
}

/** [M, C/group, k…] → [C, M/group, k…] with every spatial axis reversed; folded when the kernel is a constant. */
function flippedKernel(g: GraphBuilder, weight: Value, group: number): Value {
  const [m = 1, c = 1, ...kernel] = weight.shape;
  const source = weight.constant;
  if (source && source.data instanceof Float32Array) {
    const data = new Float32Array(source.data.length);
    const taps = sizeOf(kernel);
    const perGroup = m / group;
    for (let i = 0; i < m; i++) {
      const groupIndex = Math.floor(i / perGroup);
      for (let j = 0; j < c; j++) {
        const from = (i * c + j) * taps;
        const to = ((groupIndex * c + j) * perGroup + (i % perGroup)) * taps;
        // Reversing every axis of a row-major block reverses the block.
        for (let t = 0; t < taps; t++) data[to + t] = source.data[from + taps - 1 - t]!;
      }
    }
    return cached(weight, group, () => g.constant(float32([c * group, perGroup, ...kernel], data)), g);
  }
  const axes = kernel.map((_, i) => i + 2);
  const grouped = g.reshape(weight, [group, m / group, c, ...kernel]);
  const swapped = g.reshape(g.transpose(grouped, [0, 2, 1, ...axes.map((axis) => axis + 1)]), [
    group * c,
    m / group,
    ...kernel,
  ]);
  const taps = sizeOf(kernel);
  if (taps === 1) return swapped;
  // Reversing all axes of a block reverses the block; a product with a matrix is twice as fast as negative steps.
  const rows = g.reshape(swapped, [sizeOf(swapped.shape) / taps, taps]);
  const last = tensor(weight.dtype, [taps, taps], arrayOf(weight.dtype, reversal(taps)));
  return g.reshape(g.matmul(rows, g.constant(last)), swapped.shape);
}

/** The matrix that turns a row of n around. */
const reversal = (n: number): number[] => upTo(n * n).map((i) => (Math.floor(i / n) + (i % n) === n - 1 ? 1 : 0));

const flipped = new WeakMap<GraphBuilder, Map<string, Value>>();

function cached(weight: Value, group: number, make: () => Value, g: GraphBuilder): Value {
  const known = flipped.get(g) ?? new Map<string, Value>();
  flipped.set(g, known);
  const key = `${weight.id}/${group}`;
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

/** The convolution whose gradients the parts above give: used by the rule of ConvTranspose. */
export function forwardConv(g: GraphBuilder, large: Value, weight: Value, geo: ConvGeometry): Value {
  return g.conv(large, weight, undefined, {
    strides: geo.strides,
    dilations: geo.dilations,
    pads: [...geo.padBegin, ...geo.padEnd],
    group: geo.group,
  });
}
