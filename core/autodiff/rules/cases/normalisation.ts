import { float, int, string } from '../../attributes.ts';
import { between, constant, data, normal, x, type RuleCase } from '../case.ts';

const positive = between(0.5, 2);

const softmax = (op: string): RuleCase[] =>
  [-1, 0, 1].map((axis) => ({ op, name: `axis ${axis}`, inputs: [x([2, 3, 4])], attributes: { axis: int(axis) } }));

const labels = data('int64', [3], [0, 3, 1]);
const reductions = ['mean', 'sum', 'none'];

/** Losses over class labels; onnxruntime's CPU provider has them in float32. */
const losses: readonly RuleCase[] = ['SoftmaxCrossEntropyLoss', 'NegativeLogLikelihoodLoss'].flatMap(
  (op): RuleCase[] => [
    ...reductions.map((reduction): RuleCase => ({
      op,
      name: reduction,
      inputs: [x([3, 4]), labels],
      attributes: { reduction: string(reduction) },
      dtype: 'float32',
    })),
    {
      op,
      name: 'class weights and an ignored label',
      inputs: [x([3, 4]), labels, constant('float32', [4], [0.5, 1, 2, 1.5])],
      attributes: { ignore_index: int(3) },
      dtype: 'float32',
    },
    ...reductions.map((reduction): RuleCase => ({
      op,
      name: `class weights that are variables, an ignored label, ${reduction}`,
      inputs: [x([3, 4]), labels, x([4], positive)],
      attributes: { ignore_index: int(3), reduction: string(reduction) },
      dtype: 'float32',
    })),
    { op, name: 'a label for each pixel', inputs: [x([1, 3, 2]), data('int64', [1, 2], [2, 0])], dtype: 'float32' },
  ],
);

export const normalisationCases: readonly RuleCase[] = [
  ...softmax('Softmax'),
  ...softmax('LogSoftmax'),
  ...losses,
  {
    op: 'SoftmaxCrossEntropyLoss',
    name: 'with the log-probabilities',
    inputs: [x([3, 4]), labels],
    outputs: 2,
    dtype: 'float32',
  },
  { op: 'BatchNormalization', name: 'inference', inputs: [x([2, 3, 2, 2]), x([3]), x([3]), x([3]), x([3], positive)] },
  {
    op: 'BatchNormalization',
    name: 'inference on vectors',
    inputs: [x([4, 3]), x([3]), x([3]), x([3]), x([3], positive)],
    attributes: { epsilon: float(0.1) },
  },
  {
    op: 'BatchNormalization',
    name: 'training',
    inputs: [x([3, 2, 2, 2]), x([2]), x([2]), x([2]), x([2], positive)],
    attributes: { training_mode: int(1), momentum: float(0.8) },
    outputs: 3,
  },
  {
    op: 'BatchNormalization',
    name: 'training, batch statistics put out',
    inputs: [x([3, 2, 2, 2]), x([2]), x([2]), x([2]), x([2], positive)],
    attributes: { training_mode: int(1), momentum: float(0) },
    outputs: 3,
  },
  {
    op: 'BatchNormalization',
    name: 'training on vectors',
    inputs: [x([5, 2]), x([2]), x([2]), x([2]), x([2], positive)],
    attributes: { training_mode: int(1), epsilon: float(0.1) },
    outputs: 3,
  },
  { op: 'InstanceNormalization', name: 'images', inputs: [x([2, 3, 3, 2]), x([3]), x([3])], dtype: 'float32' },
  {
    op: 'InstanceNormalization',
    name: 'sequences',
    inputs: [x([2, 2, 5]), x([2]), x([2])],
    attributes: { epsilon: float(0.1) },
    dtype: 'float32',
  },
  {
    op: 'LayerNormalization',
    name: 'last axis',
    inputs: [x([2, 3, 4]), x([4]), x([4])],
    attributes: { axis: int(-1) },
  },
  {
    op: 'LayerNormalization',
    name: 'two axes, no bias',
    inputs: [x([2, 3, 4]), x([3, 4])],
    attributes: { axis: int(1), epsilon: float(0.1) },
  },
  {
    op: 'LayerNormalization',
    name: 'with its statistics',
    inputs: [x([2, 4]), x([4]), x([4])],
    outputs: 3,
    dtype: 'float32',
  },
  {
    op: 'GroupNormalization',
    name: 'two groups',
    inputs: [x([2, 4, 2, 2]), x([4]), x([4])],
    attributes: { num_groups: int(2) },
    dtype: 'float32',
  },
  { op: 'MeanVarianceNormalization', name: 'images', inputs: [x([2, 2, 2, 2])], dtype: 'float32' },
  { op: 'LpNormalization', name: '2-norm', inputs: [x([2, 3])] },
  {
    op: 'LpNormalization',
    name: '1-norm',
    inputs: [x([3, 2], between(0.5, 2))],
    attributes: { p: int(1), axis: int(0) },
  },
  {
    op: 'LRN',
    name: 'odd window',
    inputs: [x([1, 5, 2, 2], normal)],
    attributes: { size: int(3), alpha: float(0.9), beta: float(0.75) },
    dtype: 'float32',
  },
  {
    op: 'LRN',
    name: 'window wider than the channels',
    inputs: [x([1, 4, 2, 1], normal)],
    attributes: { size: int(5), alpha: float(0.5), bias: float(2) },
    dtype: 'float32',
  },
];
