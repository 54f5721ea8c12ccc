import { int, string } from '../../attributes.ts';
import { apart, constant, data, list, normal, x, type CaseInput, type Domain, type RuleCase } from '../case.ts';

/** Element 1 is 0. */
const withZero: Domain = (rng, size) => normal(rng, size).map((value, i) => (i === 1 ? 0 : value));

const places = data('int64', [2, 3], [3, 0, 3, 1, 1, 2]);
const tuples = data('int64', [3, 2], [2, 1, 0, 0, 2, 1]);

/** Data [2, 4] and [3, 2]; some places are written twice. */
const scatters = (reduction: string, name: string, left: Domain, right: Domain): RuleCase[] => {
  const attributes = { reduction: string(reduction) };
  const elements: readonly CaseInput[] = [x([2, 4], left), places, x([2, 3], right)];
  return [
    { op: 'ScatterElements', name, inputs: elements, attributes: { ...attributes, axis: int(1) } },
    { op: 'ScatterND', name, inputs: [x([3, 2], left), tuples, x([3], right)], attributes },
  ];
};

export const indexingCases: readonly RuleCase[] = [
  { op: 'Gather', name: 'known rows', inputs: [x([4, 3]), list(2, 0, 2, -1)] },
  {
    op: 'Gather',
    name: 'one known place',
    inputs: [x([2, 4, 3]), constant('int64', [], [1])],
    attributes: { axis: int(1) },
  },
  {
    op: 'Gather',
    name: 'many known places',
    inputs: [x([3, 6]), list(0, 3, 1, 5, 2, 4, 3)],
    attributes: { axis: int(1) },
  },
  {
    op: 'Gather',
    name: 'computed places',
    inputs: [x([2, 4, 3]), data('int64', [2, 2], [3, 0, 3, -2])],
    attributes: { axis: int(1) },
  },
  { op: 'Gather', name: 'computed places of type int32', inputs: [x([4, 2]), data('int32', [3], [3, 0, 3])] },
  {
    op: 'GatherElements',
    name: 'along the last axis',
    inputs: [x([2, 3]), data('int64', [2, 2], [2, 0, 1, 1])],
    attributes: { axis: int(1) },
  },
  { op: 'GatherND', name: 'tuples', inputs: [x([3, 2, 2]), data('int64', [3, 2], [0, 1, 2, 0, 0, 1])] },
  {
    op: 'GatherND',
    name: 'with a batch',
    inputs: [x([2, 3, 2]), data('int64', [2, 1], [2, 0])],
    attributes: { batch_dims: int(1) },
  },
  {
    op: 'ScatterElements',
    name: 'overwriting',
    inputs: [x([2, 4]), data('int64', [2, 2], [3, 0, 1, 2]), x([2, 2])],
    attributes: { axis: int(1) },
  },
  {
    op: 'ScatterElements',
    name: 'adding',
    inputs: [x([4]), data('int64', [3], [3, 0, 3]), x([3])],
    attributes: { reduction: string('add') },
  },
  { op: 'ScatterND', name: 'overwriting rows', inputs: [x([4, 2]), data('int64', [2, 1], [3, 0]), x([2, 2])] },
  {
    op: 'ScatterND',
    name: 'adding',
    inputs: [x([3, 2]), data('int64', [3, 2], [2, 1, 0, 0, 2, 1]), x([3])],
    attributes: { reduction: string('add') },
  },
  {
    op: 'OneHot',
    name: 'values',
    inputs: [data('int64', [3], [0, 2, 1]), constant('int64', [], [4]), x([2])],
    dtype: 'float32',
  },
  {
    op: 'Compress',
    name: 'columns',
    inputs: [x([2, 4, 2]), constant('bool', [3], [1, 0, 1])],
    attributes: { axis: int(1) },
  },
  { op: 'Compress', name: 'of the flattened data', inputs: [x([2, 3]), constant('bool', [6], [0, 1, 1, 0, 0, 1])] },
  {
    op: 'Compress',
    name: 'nothing',
    inputs: [x([2, 3]), constant('bool', [2], [0, 0])],
    attributes: { axis: int(-1) },
  },
  {
    op: 'ScatterElements',
    name: 'overwriting one place twice',
    inputs: [x([2, 4]), constant('int64', [2, 3], [3, 0, -1, 1, 1, 2]), x([2, 3])],
    attributes: { axis: int(1) },
  },
  {
    op: 'ScatterND',
    name: 'overwriting one row twice',
    inputs: [x([4, 2]), constant('int64', [3, 1], [3, 0, -1]), x([3, 2])],
  },
  ...scatters('mul', 'multiplying', normal, normal),
  ...scatters('mul', 'multiplying, with zeros', withZero, withZero),
  ...scatters('max', 'taking the larger', apart(0.7), apart(1.1)),
  ...scatters('min', 'taking the smaller', apart(0.7), apart(1.1)),
];
