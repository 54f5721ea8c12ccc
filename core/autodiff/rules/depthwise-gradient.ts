import { float32, int64 } from '../../base/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { span, type ConvGeometry } from './conv-shape.ts';
import { upTo } from './node-parts.ts';
import { padOrCrop } from './place-parts.ts';

/**
 * dW [C, 1, k, k] of a depthwise convolution over two axes from X [N, C, large…] and dY [N, C, small…], where patches of X
 * would be read once for each of them: undefined where there is nothing better. Measured on onnxruntime 1.29, one thread,
 * 4 images: 2 to 3 times as fast for 3 × 3 kernels, 3 to 5 times for 7 × 7. `isSteady`: the same nodes at every batch size.
 */
export function depthwiseKernelGradient(
  g: GraphBuilder,
  x: Value,
  dY: Value,
  geo: ConvGeometry,
): { readonly value: Value; readonly isSteady: boolean } | undefined {
  const channels = x.shape[1];
  if (g.device !== 'cpu' || x.dtype !== 'float32' || geo.rank !== 2) return undefined;
  if (geo.group !== channels || dY.shape[1] !== channels) return undefined;
  const [rows = 1] = dY.shape.slice(2);
  const isDense = geo.strides.every((stride) => stride === 1) && rows > 7;
  return { value: isDense ? byBands(g, x, dY, geo) : byConvolution(g, x, dY, geo), isSteady: isDense };
}

/** dY as the kernels of a convolution of X, each plane a group: its few outputs are the taps. Steps become dilations. */
function byConvolution(g: GraphBuilder, x: Value, dY: Value, geo: ConvGeometry): Value {
  const [n = 1, c = 1, ...large] = x.shape;
  const small = dY.shape.slice(2);
  // How far the windows reach past the end of X; what no window reads is cut off.
  const past = upTo(2).map((i) => reach(geo, small, i) - (geo.padBegin[i] ?? 0) - (large[i] ?? 1));
  const cropped = padOrCrop(g, x, [0, 0, 0, 0], [0, 0, ...past.map((p) => Math.min(0, p))]);
  const planes = g.reshape(cropped, [1, n * c, ...cropped.shape.slice(2)]);
  const taps = g.conv(planes, g.reshape(dY, [n * c, 1, ...small]), undefined, {
    pads: [...geo.padBegin, ...past.map((p) => Math.max(0, p))],
    strides: geo.dilations,
    dilations: geo.strides,
    group: n * c,
  });
  return g.reshape(g.reduceSum(g.reshape(taps, [n, c, ...geo.kernel]), [0]), [c, 1, ...geo.kernel]);
}

/** Rows of dY that are multiplied with X at a time: more share more of X, but use less of their products. */
const blockRows = 14;

/**
 * Products of rows of X with rows of dY, along the rows, for each column of the kernel: those whose distance is a row of
 * the kernel, a band of the matrix of products, are added up. Row blocks keep the share of the band large.
 */
function byBands(g: GraphBuilder, x: Value, dY: Value, geo: ConvGeometry): Value {
  const [n = 1, c = 1, height = 1, width = 1] = x.shape;
  const [, , rows = 1, columns = 1] = dY.shape;
  const [[kh = 1, kw = 1], [dh = 1, dw = 1], [top = 0, left = 0]] = [geo.kernel, geo.dilations, geo.padBegin];
  const blocks = Math.ceil(rows / blockRows);
  const block = Math.ceil(rows / blocks);
  const [deep, tall, wide] = [
    block + span(geo, 0) - 1,
    blocks * block + span(geo, 0) - 1,
    reach(geo, [rows, columns], 1),
  ];
  const padded = padOrCrop(g, x, [0, 0, top, left], [0, 0, tall - height - top, wide - width - left]);
  const places = BigInt64Array.from({ length: blocks * deep }, (_, i) =>
    BigInt(Math.floor(i / deep) * block + (i % deep)),
  );
  const cut = blocks === 1 ? padded : g.gather(padded, g.constant(int64([places.length], places)), 2);
  const large = g.reshape(cut, [n * c * blocks, deep, wide]);
  const rates = g.reshape(g.pad(dY, [0, 0, 0, 0, 0, 0, blocks * block - rows, 0]), [n * c * blocks, block, columns]);
  const turned = g.transpose(rates, [0, 2, 1]);
  const band = new Float32Array(deep * block * kh);
  for (let row = 0; row < block; row++) for (let k = 0; k < kh; k++) band[((row + k * dh) * block + row) * kh + k] = 1;
  const taps = upTo(kw).map((k) => {
    const products = g.matmul(g.slice(large, [2], [k * dw], [k * dw + columns]), turned);
    const summed = g.reduceSum(g.reshape(products, [n, c, blocks, deep * block]), [0, 2]);
    return g.matmul(summed, g.constant(float32([deep * block, kh], band)));
  });
  return g.reshape(g.transpose(g.reshape(g.concat(taps, 1), [c, kw, kh]), [0, 2, 1]), [c, 1, kh, kw]);
}

/** Elements of the padded X that the windows cover along one axis. */
const reach = (geo: ConvGeometry, small: readonly number[], i: number): number =>
  ((small[i] ?? 1) - 1) * (geo.strides[i] ?? 1) + span(geo, i);
