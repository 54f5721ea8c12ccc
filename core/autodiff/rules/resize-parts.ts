import type { NodeAttributes } from '../emitter.ts';
import { matrixOf, type Matrix } from './matrix-parts.ts';

/** Where output position `i` falls in the input, for scale = output size / input size (ONNX Resize-19). */
function sourcePlace(mode: string, i: number, from: number, to: number, scale: number): number {
  switch (mode) {
    case 'asymmetric':
      return i / scale;
    case 'align_corners':
      return to === 1 ? 0 : (i * (from - 1)) / (to - 1);
    case 'pytorch_half_pixel':
      return to === 1 ? 0 : (i + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric': {
      const adjustment = to / (scale * from);
      return (from / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
    }
    default:
      return (i + 0.5) / scale - 0.5;
  }
}

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

/** Weights of the input positions for one output position, before positions outside are moved to the border. */
function weightsAt(attr: NodeAttributes, place: number, size: number): [position: number, weight: number][] {
  const mode = attr.string('mode', 'nearest');
  if (mode === 'nearest') return [[nearest(attr.string('nearest_mode', 'round_prefer_floor'), place), 1]];
  const low = Math.floor(place);
  if (mode === 'linear') {
    return [
      [low, low + 1 - place],
      [low + 1, place - low],
    ];
  }
  const a = attr.float('cubic_coeff_a', -0.75);
  const taps = [-1, 0, 1, 2].map((k): [number, number] => [low + k, cubic(a, place - low - k)]);
  if (!attr.flag('exclude_outside')) return taps;
  const inside = taps.filter(([position]) => position >= 0 && position < size);
  const total = inside.reduce((sum, [, weight]) => sum + weight, 0);
  return inside.map(([position, weight]) => [position, weight / total]);
}

/** The linear map of a Resize along one axis, `to` outputs from `from` inputs. */
export function resizeMatrix(attr: NodeAttributes, from: number, to: number, scale: number): Matrix {
  const mode = attr.string('coordinate_transformation_mode', 'half_pixel');
  const rows = Array.from({ length: to }, (_, i) => {
    const row = new Float64Array(from);
    for (const [position, weight] of weightsAt(attr, sourcePlace(mode, i, from, to, scale), from)) {
      const at = Math.min(Math.max(position, 0), from - 1);
      row[at] = (row[at] ?? 0) + weight;
    }
    return row;
  });
  return matrixOf(to, from, (row, column) => rows[row]?.[column] ?? 0);
}
