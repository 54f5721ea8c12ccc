import { float32, type Tensor } from '../../base/tensor.ts';
import { attributeTensor } from '../element-types.ts';
import { floatOf, intOf, intsOf, type Lift, withAttributes, withInput } from './lift.ts';

const list = (values: readonly number[]): Tensor => attributeTensor([values.length], values);

/** An attribute of integers that a later operator set takes as an input; left out when absent or empty. */
const intsToInput = (op: string, below: number, attribute: string, index: number): Lift => ({
  op,
  below,
  lift: (node, scope) => {
    const values = intsOf(node, attribute) ?? [];
    const attributes = withAttributes(node, [attribute]);
    if (values.length === 0) return [{ ...node, attributes }];
    const name = scope.constant(node, attribute, list(values));
    return [{ ...node, attributes, inputs: withInput(node.inputs, index, name) }];
  },
});

const slice: Lift = {
  op: 'Slice',
  below: 10,
  lift: (node, scope) => {
    const starts = intsOf(node, 'starts') ?? [];
    const axes = intsOf(node, 'axes') ?? starts.map((_, i) => i);
    const parts = { starts, ends: intsOf(node, 'ends') ?? [], axes };
    const names = Object.entries(parts).map(([role, values]) => scope.constant(node, role, list(values)));
    return [{ ...node, attributes: {}, inputs: [...node.inputs, ...names] }];
  },
};

/** The limits of float32, which the old attributes have as default, stand for no bound. */
const clip: Lift = {
  op: 'Clip',
  below: 11,
  lift: (node, scope) => {
    const largest = 3.402823e38;
    const bounds = [floatOf(node, 'min', -Infinity), floatOf(node, 'max', Infinity)];
    const names = bounds.map((bound, i) =>
      Math.abs(bound) > largest ? '' : scope.constant(node, i === 0 ? 'min' : 'max', float32([], [bound])),
    );
    const inputs = [...node.inputs, ...names];
    while (inputs.at(-1) === '') inputs.pop();
    return [{ ...node, attributes: {}, inputs }];
  },
};

const pad: Lift = {
  op: 'Pad',
  below: 11,
  lift: (node, scope) => {
    const value = floatOf(node, 'value', 0);
    const names = [scope.constant(node, 'pads', list(intsOf(node, 'pads') ?? []))];
    if (value !== 0) names.push(scope.constant(node, 'value', float32([], [value])));
    return [{ ...node, attributes: withAttributes(node, ['pads', 'value']), inputs: [...node.inputs, ...names] }];
  },
};

const topK: Lift = {
  op: 'TopK',
  below: 10,
  lift: (node, scope) => {
    const name = scope.constant(node, 'k', list([intOf(node, 'k', 1)]));
    return [{ ...node, attributes: withAttributes(node, ['k']), inputs: [...node.inputs, name] }];
  },
};

/** Without sizes, the number of equal parts is said since operator set 18. */
const split: Lift = {
  op: 'Split',
  below: 18,
  lift: (node) => {
    if ((node.inputs[1] ?? '') !== '') return [node];
    const attributes = withAttributes(node, [], { num_outputs: { type: 'int', value: node.outputs.length } });
    return [{ ...node, attributes }];
  },
};

const reductions = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'];

export const attributesToInputs: readonly Lift[] = [
  ...reductions.map((name) => intsToInput(`Reduce${name}`, 18, 'axes', 1)),
  intsToInput('ReduceSum', 13, 'axes', 1),
  intsToInput('Squeeze', 13, 'axes', 1),
  intsToInput('Unsqueeze', 13, 'axes', 1),
  intsToInput('Split', 13, 'split', 1),
  split,
  slice,
  clip,
  pad,
  topK,
];
