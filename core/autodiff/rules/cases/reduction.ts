import { int } from '../../attributes.ts';
import { apart, between, constant, list, normal, offZero, x, type Domain, type RuleCase } from '../case.ts';

const forms = (op: string, domain: Domain): RuleCase[] => [
  { op, name: 'all axes', inputs: [x([2, 3], domain)], attributes: { keepdims: int(0) } },
  { op, name: 'last axis kept', inputs: [x([2, 3], domain), list(-1)] },
  {
    op,
    name: 'first and last axis dropped',
    inputs: [x([2, 3, 2], domain), list(0, 2)],
    attributes: { keepdims: int(0) },
  },
  { op, name: 'middle axis', inputs: [x([2, 3, 2], domain), list(1)], attributes: { keepdims: int(0) } },
  { op, name: 'no axes at all', inputs: [x([2, 3], domain)], attributes: { noop_with_empty_axes: int(1) } },
];

export const reductionCases: readonly RuleCase[] = [
  ...forms('ReduceSum', normal),
  ...forms('ReduceMean', normal),
  ...forms('ReduceMax', apart()),
  ...forms('ReduceMin', apart()),
  ...forms('ReduceProd', offZero),
  {
    op: 'ReduceProd',
    name: 'seven factors, two of them 0',
    inputs: [x([2, 7], (rng, size) => normal(rng, size).map((v, i) => (i === 2 || i === 5 ? 0 : v))), list(1)],
  },
  { op: 'ReduceProd', name: 'one factor', inputs: [x([2, 1]), list(1)] },
  ...forms('ReduceL1', offZero),
  ...forms('ReduceL2', offZero),
  ...forms('ReduceSumSquare', normal),
  ...forms('ReduceLogSum', between(0.5, 2)),
  ...forms('ReduceLogSumExp', normal),
  { op: 'CumSum', name: 'forward', inputs: [x([2, 4]), constant('int64', [], [1])] },
  {
    op: 'CumSum',
    name: 'reverse, exclusive',
    inputs: [x([3, 2]), constant('int64', [], [0])],
    attributes: { reverse: int(1), exclusive: int(1) },
  },
  { op: 'TopK', name: 'two largest', inputs: [x([2, 5], apart()), list(2)], outputs: 2 },
  {
    op: 'TopK',
    name: 'smallest of the first axis',
    inputs: [x([4, 2], apart()), list(1)],
    attributes: { axis: int(0), largest: int(0) },
    outputs: 2,
  },
];
