import type { NodeAttributes } from '../emitter.ts';
import { matrixOf, type Matrix } from './matrix-parts.ts';

/** One axis of a Resize; `scale` is the factor that the operator samples with, `roi` the part that is cropped. */
export interface ResizeAxis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly roi: readonly [start: number, end: number];
}

const f = Math.fround;

/**
 * Where output position `i` falls in the input (ONNX Resize-19). In single precision step by step, as onnxruntime
 * computes it: which pixel is nearest may hang on the last bit.
 */
function sourcePlace(mode: string, i: number, { from, to, scale, roi }: ResizeAxis): number {
  switch (mode) {
    case 'asymmetric':
      return f(i / scale);
    case 'align_corners':
      return to === 1 ? 0 : f(f(i * (from - 1)) / (to - 1));
    case 'pytorch_half_pixel':
      return to === 1 ? 0 : halfPixel(i, scale);
    case 'tf_half_pixel_for_nn':
      return f((i + 0.5) / scale);
    case 'half_pixel_symmetric': {
      const adjustment = f(to / f(scale * from));
      return f(f((from / 2) * f(1 - adjustment)) + (i + 0.5) / scale - 0.5);
    }
    case 'tf_crop_and_resize': {
      const [start, end] = roi;
      if (to === 1) return f(0.5 * f(start + end) * (from - 1));
      return f(f(start * (from - 1)) + f(f(f(i * f(end - start)) * (from - 1)) / (to - 1)));
    }
    default:
      return halfPixel(i, scale);
  }
}

const halfPixel = (i: number, scale: number): number => f(f((i + 0.5) / scale) - 0.5);

function nearest(mode: string, place: number): number {
  switch (mode) {
    case 'floor':
      return Math.floor(place);
    case 'ceil':
      return Math.ceil(place);
    case 'round_prefer_ceil':
      return Math.floor(place + 0.5);
    default:
      return Math.ceil(place - 0.5);
  }
}

/** Cubic convolution with coefficient a (R. Keys 1981) at distance t. */
function cubic(a: number, t: number): number {
  const d = Math.abs(t);
  if (d < 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  if (d < 2) return a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
  return 0;
}

type Tap = readonly [position: number, weight: number];

/** Weights that add up to 1. */
function normalised(taps: readonly Tap[]): readonly Tap[] {
  const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
  return total === 0 ? taps : taps.map(([position, weight]): Tap => [position, weight / total]);
}

const isInside =
  (size: number) =>
  ([position]: Tap): boolean =>
    position >= 0 && position < size;

/** The kernel widened to cover every input pixel when the axis shrinks (antialias). */
function widenedTaps(attr: NodeAttributes, place: number, { from, scale }: ResizeAxis): readonly Tap[] {
  const isLinear = attr.string('mode', 'nearest') === 'linear';
  const a = attr.float('cubic_coeff_a', -0.75);
  const stretch = f(Math.max(1, f(1 / scale)));
  const support = (isLinear ? 1 : 2) * stretch;
  const centre = f(0.5 + place);
  const [first, end] = [Math.floor(f(f(centre - support) + 0.5)), Math.floor(f(f(centre + support) + 0.5))];
  const taps = Array.from({ length: end - first }, (_, k): Tap => {
    const distance = (first + k - centre + 0.5) / stretch;
    return [first + k, isLinear ? Math.max(0, 1 - Math.abs(distance)) : cubic(a, distance)];
  });
  if (!taps.some(isInside(from))) return [];
  return normalised(attr.flag('exclude_outside') ? taps.filter(isInside(from)) : taps);
}

/** Weights of the input positions for one output position, before positions outside are moved to the border. */
function tapsAt(attr: NodeAttributes, place: number, axis: ResizeAxis): readonly Tap[] {
  const mode = attr.string('mode', 'nearest');
  if (mode === 'nearest') return [[nearest(attr.string('nearest_mode', 'round_prefer_floor'), place), 1]];
  if (attr.flag('antialias')) return widenedTaps(attr, place, axis);
  const low = Math.floor(place);
  if (mode === 'linear') {
    return [
      [low, low + 1 - place],
      [low + 1, place - low],
    ];
  }
  const a = attr.float('cubic_coeff_a', -0.75);
  const taps = [-1, 0, 1, 2].map((k): Tap => [low + k, cubic(a, place - low - k)]);
  return attr.flag('exclude_outside') ? normalised(taps.filter(isInside(axis.from))) : taps;
}

/**
 * The linear map of a Resize along one axis. An axis of scale 1 is copied whatever is cropped, as onnxruntime does;
 * what tf_crop_and_resize takes from outside is constant.
 */
export function resizeMatrix(attr: NodeAttributes, axis: ResizeAxis): Matrix {
  const { from, to, scale } = axis;
  const mode = attr.string('coordinate_transformation_mode', 'half_pixel');
  const isCropped = mode === 'tf_crop_and_resize';
  const rows = Array.from({ length: to }, (_, i) => {
    const row = new Float64Array(from);
    const place = f(scale) === 1 ? i : sourcePlace(mode, i, axis);
    if (isCropped && (place < 0 || place > from - 1)) return row;
    const isCopied = attr.flag('antialias') && from === to;
    for (const [position, weight] of isCopied ? [[i, 1] as const] : tapsAt(attr, place, axis)) {
      const at = Math.min(Math.max(position, 0), from - 1);
      row[at] = (row[at] ?? 0) + weight;
    }
    return row;
  });
  return matrixOf(to, from, (row, column) => rows[row]?.[column] ?? 0);
}
