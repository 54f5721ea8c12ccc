import { int, ints, string } from '../../attributes.ts';
import { absent, constant, data, list, x, type RuleCase } from '../case.ts';

const pad = (name: string, mode: string, pads: readonly number[], shape: readonly number[] = [2, 5]): RuleCase => ({
  op: 'Pad',
  name: `${mode}, ${name}`,
  inputs: [x(shape), list(...pads)],
  attributes: { mode: string(mode) },
});

const slice = (name: string, shape: readonly number[], ...parts: readonly (readonly number[])[]): RuleCase => ({
  op: 'Slice',
  name,
  inputs: [x(shape), ...parts.map((part) => list(...part))],
});

export const layoutCases: readonly RuleCase[] = [
  { op: 'Reshape', name: 'with a free dimension', inputs: [x([2, 6]), list(3, -1)] },
  { op: 'Flatten', name: 'from axis 2', inputs: [x([2, 3, 2])], attributes: { axis: int(2) } },
  { op: 'Squeeze', name: 'one axis', inputs: [x([2, 1, 1, 3]), list(1)] },
  { op: 'Squeeze', name: 'all axes', inputs: [x([2, 1, 3, 1])] },
  { op: 'Unsqueeze', name: 'front and back', inputs: [x([2, 3]), list(0, -1)] },
  { op: 'Transpose', name: 'reversed', inputs: [x([2, 3, 4])] },
  { op: 'Transpose', name: 'rotated', inputs: [x([2, 3, 4])], attributes: { perm: ints([1, 2, 0]) } },
  { op: 'Concat', name: 'three parts', inputs: [x([2, 1]), x([2, 3]), x([2, 2])], attributes: { axis: int(-1) } },
  { op: 'Concat', name: 'one part', inputs: [x([2, 3])], attributes: { axis: int(0) } },
  { op: 'Split', name: 'given sizes', inputs: [x([2, 5]), list(1, 3, 1)], attributes: { axis: int(1) }, outputs: 3 },
  { op: 'Split', name: 'equal parts', inputs: [x([5, 2])], attributes: { num_outputs: int(2) }, outputs: 2 },
  slice('from the middle', [4, 5], [1, 2], [3, 5]),
  slice('negative axis and ends', [4, 5], [1], [-1], [-1]),
  slice('every second', [3, 7], [1], [7], [1], [2]),
  slice('every second and third', [5, 8], [0, 1], [5, 8], [0, 1], [2, 3]),
  slice('reversed', [2, 4], [-1], [-(2 ** 31)], [1], [-1]),
  slice('backwards by two', [2, 7], [5], [0], [1], [-2]),
  slice('to the end of the range', [2, 4], [1], [2 ** 31], [1]),
  { op: 'ReverseSequence', name: 'by rows', inputs: [x([3, 2]), data('int64', [2], [2, 3])] },
  { op: 'Expand', name: 'new and stretched axes', inputs: [x([3, 1]), list(2, 3, 4)] },
  { op: 'Expand', name: 'of a scalar', inputs: [x([]), list(2, 2)] },
  { op: 'Tile', name: 'both axes', inputs: [x([2, 3]), list(2, 3)] },
  pad('both sides', 'constant', [1, 0, 0, 2]),
  pad('cropped', 'constant', [-1, 1, 0, -2]),
  pad('both sides', 'edge', [1, 2, 0, 3]),
  pad('both sides', 'reflect', [1, 3, 0, 2]),
  pad('both sides', 'wrap', [1, 2, 0, 3]),
  pad('cropped at the other side', 'edge', [1, -1, -1, 2]),
  pad('cropped at the other side', 'reflect', [-1, 2, 1, -2], [3, 5]),
  pad('cropped at the other side', 'wrap', [-1, 2, 1, -2], [3, 5]),
  pad('around more than once', 'wrap', [0, 2, 2, 12]),
  {
    op: 'Pad',
    name: 'constant on given axes with a variable value',
    inputs: [x([2, 3, 2]), list(1, 2), x([]), list(-1)],
  },
  { op: 'DepthToSpace', name: 'DCR', inputs: [x([1, 8, 2, 3])], attributes: { blocksize: int(2) } },
  {
    op: 'DepthToSpace',
    name: 'CRD',
    inputs: [x([1, 8, 2, 3])],
    attributes: { blocksize: int(2), mode: string('CRD') },
  },
  { op: 'SpaceToDepth', name: 'blocks of 2', inputs: [x([1, 2, 4, 2])], attributes: { blocksize: int(2) } },
  { op: 'Trilu', name: 'upper', inputs: [x([2, 3, 3])] },
  {
    op: 'Trilu',
    name: 'lower, shifted',
    inputs: [x([3, 4]), constant('int64', [], [1])],
    attributes: { upper: int(0) },
  },
  {
    op: 'Split',
    name: 'num_outputs with a short last part',
    inputs: [x([1, 7]), absent],
    attributes: { axis: int(-1), num_outputs: int(3) },
    outputs: 3,
  },
];
