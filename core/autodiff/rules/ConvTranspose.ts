import type { NodeAttributes } from '../emitter.ts';
import { differentiable } from '../rule.ts';
import { type ConvGeometry, convGeometry } from './conv-shape.ts';
import { forwardConv } from './conv-parts.ts';
import { kernelGradient } from './kernel-gradient.ts';

/** Y [N, M, o…] is the input gradient of a Conv with kernel W [C, M/group, k…] at cotangent X [N, C, i…], plus B [M]. */
export const ConvTranspose = differentiable('ConvTranspose', ({ node, x: [X, W, B], y: [Y], dY: [dY], g, needs }) => {
  if (!X || !W || !Y || !dY) return [];
  const plain = convGeometry(node.attr, W, Y.shape, X.shape);
  const base = { ...plain, padBegin: padBegin(node.attr, plain, X.shape, Y.shape) };
  // Output padding only lengthens Y: as the Conv's large side it is extra padding at the end that no window reads.
  const reach = base.kernel.map((k, i) => (X.shape[i + 2]! - 1) * base.strides[i]! + (k - 1) * base.dilations[i]! + 1);
  const padEnd = reach.map((r, i) => r - base.padBegin[i]! - Y.shape[i + 2]!);
  const spatial = base.kernel.map((_, i) => i + 2);
  const crop = padEnd.map((p, i) => Y.shape[i + 2]! + Math.min(0, p));
  const cropped = padEnd.some((p) => p < 0)
    ? g.slice(
        dY,
        spatial,
        spatial.map(() => 0),
        crop,
      )
    : dY;
  const geometry = { ...base, padEnd: padEnd.map((p) => Math.max(0, p)) };
  return [
    needs(0) ? forwardConv(g, cropped, W, geometry) : undefined,
    needs(1) ? kernelGradient(g, cropped, X, geometry) : undefined,
    B && needs(2) ? g.reduceSum(dY, [0, ...spatial]) : undefined,
  ];
});

/** Where the size of Y is given, or follows from auto_pad, padding makes it so. */
function padBegin(
  attr: NodeAttributes,
  { kernel, strides, dilations, padBegin: explicit }: ConvGeometry,
  x: readonly number[],
  y: readonly number[],
): readonly number[] {
  const automatic = attr.string('auto_pad', 'NOTSET');
  if (!attr.has('output_shape') && !automatic.startsWith('SAME')) return explicit;
  const outputPadding = attr.ints('output_padding');
  return kernel.map((k, i) => {
    const whole = (x[i + 2]! - 1) * strides[i]! + (k - 1) * dilations[i]! + 1 + (outputPadding?.[i] ?? 0);
    const total = Math.max(0, whole - y[i + 2]!);
    return automatic === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
  });
}
