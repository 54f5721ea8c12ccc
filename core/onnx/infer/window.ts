import { invariant } from '../../base/errors.ts';
import type { InferContext } from '../infer.ts';
import { fail, intAttribute, intsAttribute, stringAttribute } from './access.ts';

/** Attributes shared by convolutions and pools, one number for each spatial dimension; `pads` is begin…, end…. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly autoPad: string;
  readonly ceilMode: boolean;
}

const filled = (length: number, value: number): readonly number[] => Array.from({ length }, () => value);

/** Reads the window attributes; `kernel` is the weight's spatial shape where there is a weight. */
export function windowOf(context: InferContext, rank: number, kernel?: readonly number[]): Window {
  const given = intsAttribute(context, 'kernel_shape');
  if (kernel !== undefined && given !== undefined && given.some((size, i) => size !== kernel[i])) {
    fail(context, `expected kernel_shape to be the weight's [${kernel.join(', ')}], got [${given.join(', ')}]`);
  }
  const window = {
    kernel: kernel ?? given ?? fail(context, 'expected attribute kernel_shape, got none'),
    strides: intsAttribute(context, 'strides') ?? filled(rank, 1),
    dilations: intsAttribute(context, 'dilations') ?? filled(rank, 1),
    pads: intsAttribute(context, 'pads') ?? filled(2 * rank, 0),
    autoPad: stringAttribute(context, 'auto_pad', 'NOTSET'),
    ceilMode: intAttribute(context, 'ceil_mode', 0) !== 0,
  };
  for (const [name, list, length] of [
    ['kernel_shape', window.kernel, rank],
    ['strides', window.strides, rank],
    ['dilations', window.dilations, rank],
    ['pads', window.pads, 2 * rank],
  ] as const) {
    if (list.length !== length) fail(context, `expected ${length} ${name}, got [${list.join(', ')}]`);
  }
  return window;
}

const at = (list: readonly number[], index: number): number => {
  const value = list[index];
  invariant(value !== undefined, 'window attributes have been checked');
  return value;
};

/**
 * Output sizes of a convolution or pool over the spatial shape (ONNX Conv and MaxPool, auto_pad and ceil_mode). A window
 * that would start in the padding at the end is left out, unless `keepsLast`.
 */
export function slideOver(
  context: InferContext,
  spatial: readonly number[],
  window: Window,
  keepsLast = false,
): readonly number[] {
  const rank = spatial.length;
  return spatial.map((size, i) => {
    const stride = at(window.strides, i);
    const extent = (at(window.kernel, i) - 1) * at(window.dilations, i) + 1;
    if (window.autoPad === 'SAME_UPPER' || window.autoPad === 'SAME_LOWER') return Math.ceil(size / stride);
    const explicit = window.autoPad !== 'VALID';
    const begin = explicit ? at(window.pads, i) : 0;
    const end = explicit ? at(window.pads, i + rank) : 0;
    const free = size + begin + end - extent;
    if (free < 0) {
      fail(context, `expected a window of at most ${size + begin + end} on spatial axis ${i}, got ${extent}`);
    }
    if (!window.ceilMode) return Math.floor(free / stride) + 1;
    const count = Math.ceil(free / stride) + 1;
    return !keepsLast && (count - 1) * stride >= size + begin ? count - 1 : count;
  });
}

/**
 * Padding of a pool along one axis by auto_pad SAME_UPPER or SAME_LOWER, as onnxruntime computes it: dilation is left out
 * of account, and what is negative (the stride is longer than the window) crops.
 */
export function samePads(isUpper: boolean, size: number, kernel: number, stride: number): readonly [number, number] {
  const total = (Math.ceil(size / stride) - 1) * stride + kernel - size;
  const begin = Math.trunc((isUpper ? total : total + 1) / 2);
  return [begin, total - begin];
}

/** The window of a pool with all padding explicit. */
export function explicitPads(spatial: readonly number[], window: Window): Window {
  if (window.autoPad !== 'SAME_UPPER' && window.autoPad !== 'SAME_LOWER') return window;
  const isUpper = window.autoPad === 'SAME_UPPER';
  const pads = spatial.map((size, i) => samePads(isUpper, size, at(window.kernel, i), at(window.strides, i)));
  return { ...window, autoPad: 'NOTSET', pads: [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)] };
}

/** Output sizes of a transposed convolution (ONNX ConvTranspose). */
export function slideBack(context: InferContext, spatial: readonly number[], window: Window): readonly number[] {
  const rank = spatial.length;
  const wanted = intsAttribute(context, 'output_shape');
  if (wanted !== undefined) return wanted.slice(-rank);
  const outputPadding = intsAttribute(context, 'output_padding') ?? filled(rank, 0);
  if (outputPadding.length !== rank) {
    fail(context, `expected ${rank} numbers as output_padding, got [${outputPadding.join(', ')}]`);
  }
  return spatial.map((size, i) => {
    const stride = at(window.strides, i);
    const extent = (at(window.kernel, i) - 1) * at(window.dilations, i) + 1;
    const whole = stride * (size - 1) + at(outputPadding, i) + extent;
    // onnxruntime pads by no less than 0.
    if (window.autoPad === 'SAME_UPPER' || window.autoPad === 'SAME_LOWER') return Math.min(size * stride, whole);
    return whole - (window.autoPad === 'VALID' ? 0 : at(window.pads, i) + at(window.pads, i + rank));
  });
}
