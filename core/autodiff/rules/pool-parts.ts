import { samePads } from '../../onnx/infer/window.ts';
import type { RuleContext } from '../rule.ts';

/** How a pooling window slides along one spatial axis, padding made explicit. */
export interface PoolAxis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  readonly end: number;
  /** Input size. */
  readonly size: number;
  /** Output size. */
  readonly count: number;
}

/** Windows of a pool from X [N, C, size…] to Y [N, C, count…]. */
export function poolWindow(node: RuleContext['node'], x: readonly number[], y: readonly number[]): readonly PoolAxis[] {
  const kernels = node.attr.ints('kernel_shape') ?? [];
  const pads = node.attr.ints('pads');
  const automatic = node.attr.string('auto_pad', 'NOTSET');
  return kernels.map((kernel, i) => {
    const stride = node.attr.ints('strides')?.[i] ?? 1;
    const dilation = node.attr.ints('dilations')?.[i] ?? 1;
    const [size, count] = [x[i + 2] ?? 1, y[i + 2] ?? 1];
    const axis = { kernel, stride, dilation, size, count };
    if (automatic === 'SAME_UPPER' || automatic === 'SAME_LOWER') {
      const [begin, end] = samePads(automatic === 'SAME_UPPER', size, kernel, stride);
      return { ...axis, begin, end };
    }
    const explicit = automatic === 'VALID' ? undefined : pads;
    return { ...axis, begin: explicit?.[i] ?? 0, end: explicit?.[i + kernels.length] ?? 0 };
  });
}
