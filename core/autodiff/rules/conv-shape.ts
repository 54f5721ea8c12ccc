import { invariant } from '../../base/errors.ts';
import type { Attribute } from '../../onnx/graph.ts';
import { int, ints } from '../attributes.ts';
import type { NodeAttributes, Value } from '../emitter.ts';

/** Geometry of a convolution over n spatial axes, padding made explicit. */
export interface ConvGeometry {
  readonly rank: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padBegin: readonly number[];
  readonly padEnd: readonly number[];
  readonly group: number;
}

/**
 * `large` is the side that the kernel slides over (X of Conv, Y of ConvTranspose), `small` the other, both
 * [N, C, spatial…].
 */
export function convGeometry(
  attr: NodeAttributes,
  weight: Value,
  large: readonly number[],
  small: readonly number[],
): ConvGeometry {
  const kernel = weight.shape.slice(2);
  const rank = kernel.length;
  const strides = attr.ints('strides') ?? kernel.map(() => 1);
  const dilations = attr.ints('dilations') ?? kernel.map(() => 1);
  const explicit = attr.ints('pads');
  const automatic = attr.string('auto_pad', 'NOTSET');
  const padBegin: number[] = [];
  const padEnd: number[] = [];
  for (let i = 0; i < rank; i++) {
    if (automatic === 'NOTSET' || automatic === '') {
      padBegin.push(explicit?.[i] ?? 0);
      padEnd.push(explicit?.[i + rank] ?? 0);
    } else if (automatic === 'VALID') {
      padBegin.push(0);
      padEnd.push(0);
    } else {
      const total = Math.max(
        0,
        (small[i + 2]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 - large[i + 2]!,
      );
      const less = Math.floor(total / 2);
      padBegin.push(automatic === 'SAME_UPPER' ? less : total - less);
      padEnd.push(automatic === 'SAME_UPPER' ? total - less : less);
    }
  }
  invariant(strides.length === rank && dilations.length === rank, 'one stride and one dilation per spatial axis');
  return { rank, kernel, strides, dilations, padBegin, padEnd, group: attr.int('group', 1) };
}

/** The attributes that `convGeometry` reads it from again. */
export const attributesOf = (geo: ConvGeometry): Record<string, Attribute> => ({
  strides: ints(geo.strides),
  dilations: ints(geo.dilations),
  pads: ints([...geo.padBegin, ...geo.padEnd]),
  group: int(geo.group),
});

export const span = (g: ConvGeometry, i: number): number => (g.kernel[i]! - 1) * g.dilations[i]! + 1;
export const isUnitStride = (g: ConvGeometry): boolean => g.strides.every((s) => s === 1);
export const isPointwise = (g: ConvGeometry): boolean =>
  g.kernel.every((k) => k === 1) &&
  isUnitStride(g) &&
  g.padBegin.every((p) => p === 0) &&
  g.padEnd.every((p) => p === 0);
