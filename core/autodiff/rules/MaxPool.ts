import { invariant } from '../../base/errors.ts';
import { tensor } from '../../base/tensor.ts';
import type { Attribute } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../builder.ts';
import { string } from '../attributes.ts';
import type { Value } from '../emitter.ts';
import { differentiable } from '../rule.ts';
import { emit, product, upTo } from './node-parts.ts';
import { padOrCrop } from './place-parts.ts';
import { poolWindow, type PoolAxis } from './pool-parts.ts';

/**
 * Y = max over windows. The gradient goes to one element of each window: the one that the forward pass names in its
 * Indices output, the first in row-major order, as in PyTorch.
 */
export const MaxPool = differentiable('MaxPool', ({ node, x: [X], y: [Y, indices], dY: [dY], g }) => {
  if (!X || !Y || !dY) return [];
  // By rows, whatever storage_order says of the Indices output; the maxima that it names are the same.
  const byRows = node.attr.int('storage_order', 0) === 0 ? indices : undefined;
  const axes = poolWindow(node, X.shape, Y.shape);
  const tiles = axes.every(
    (a) => a.stride === a.kernel && a.dilation === 1 && a.begin === 0 && a.size >= a.kernel * a.count,
  );
  if (tiles && !indices && X.dtype === 'float32' && axes.length === 2) return [tiledGradient(g, X, Y, dY, axes)];
  const chosen = byRows ?? indicesByRows(g, X, node.attr.all);
  const disjoint = axes.every((a) => a.stride >= (a.kernel - 1) * a.dilation + 1);
  const flat = [product(dY.shape)];
  const zeros = g.full([product(X.shape)], 0, X.dtype);
  const placed = g.scatterElements(zeros, g.reshape(chosen, flat), g.reshape(dY, flat), 0, disjoint ? 'none' : 'add');
  return [g.reshape(placed, X.shape)];
});

/** A node of its own: onnxruntime pools ten times slower where the Indices are an output. */
function indicesByRows(g: GraphBuilder, X: Value, attributes: Readonly<Record<string, Attribute>>): Value {
  const { storage_order: _, ...rest } = attributes;
  const [, indices] = g.op('MaxPool', [X], rest, { outputs: 2 });
  invariant(indices, 'MaxPool has two outputs');
  return indices;
}

/**
 * Windows that tile the input: their first maximum is found without the Indices output, which makes onnxruntime's pool
 * ten times slower. Each element that equals its window's maximum gets a weight, largest for the first of the window;
 * the pooled weight tells which element was first. Twice as fast as Indices, the scatter by MaxUnpool included.
 */
function tiledGradient(g: GraphBuilder, X: Value, Y: Value, dY: Value, axes: readonly PoolAxis[]): Value {
  const kernel = axes.map((a) => a.kernel);
  const [[kh = 1, kw = 1], [n = 1, channels = 1, rows = 1, columns = 1]] = [kernel, Y.shape];
  const width = columns * kw;
  const tail = axes.map((a) => a.size - a.kernel * a.count);
  const none = [0, 0, 0, 0];
  const covered = padOrCrop(g, X, none, [0, 0, ...tail.map((size) => -size)]);
  const largest = (kh - 1) * width + kw - 1;
  const weight = upTo(rows * kh * width).map((i) => largest - (Math.floor(i / width) % kh) * width - (i % kw));
  const start = upTo(rows * columns).map((i) => Math.floor(i / columns) * kh * width + (i % columns) * kw + largest);
  const plane = g.constant(tensor('float32', [rows * kh, width], Float32Array.from(weight)));
  const hits = g.mul(g.cast(g.equal(covered, enlarge(g, Y, kernel)), X.dtype), plane);
  // One channel to an image: onnxruntime would reorder blocks of 16 channels around the pool.
  const first = g.reshape(g.maxPool(g.reshape(hits, [n * channels, 1, rows * kh, width]), { kernel }), Y.shape);
  const place = g.sub(g.constant(tensor('float32', [rows, columns], Float32Array.from(start))), first);
  const image = upTo(n * channels).map((i) => BigInt(i * rows * kh * width));
  const images = g.constant(tensor('int64', [n, channels, 1, 1], BigInt64Array.from(image)));
  const placed = g.maxUnpool(dY, g.add(g.cast(place, 'int64'), images), kernel);
  return padOrCrop(g, placed, none, [0, 0, ...tail]);
}

const enlarge = (g: GraphBuilder, x: Value, factors: readonly number[]): Value =>
  emit(g, 'Resize', [x, undefined, g.floats([4], [1, 1, ...factors])], {
    mode: string('nearest'),
    coordinate_transformation_mode: string('asymmetric'),
    nearest_mode: string('floor'),
  });
