import { float32, tensor } from '../../base/tensor.ts';
import type { GraphNode } from '../graph.ts';
import { floatOf, intOf, intsOf, type Lift, type LiftScope, stringOf, withAttributes } from './lift.ts';
import { Steps } from './steps.ts';

/** Until operator set 12 the input was seen as a matrix, split before `axis` (default 1), and its rows were normalised. */
function flattening(op: string): Lift {
  return {
    op,
    below: 13,
    lift: (node, scope) => {
      const [X = '', given] = [node.inputs[0], intOf(node, 'axis', 1)];
      const rank = scope.rankOf(X);
      const axis = given < 0 && rank !== undefined ? given + rank : given;
      const last = { ...node, attributes: { axis: { type: 'int', value: -1 } } } satisfies GraphNode;
      if (given === -1 || (rank !== undefined && axis === rank - 1)) return [last];
      const [flat, normalised, shape] = [
        scope.fresh(node, 'flat'),
        scope.fresh(node, 'rows'),
        scope.fresh(node, 'shape'),
      ];
      const part = { domain: '', attributes: {} };
      return [
        {
          ...part,
          name: `${node.name}/flat`,
          op: 'Flatten',
          inputs: [X],
          outputs: [flat],
          attributes: { axis: { type: 'int', value: axis } },
        },
        { ...last, inputs: [flat], outputs: [normalised] },
        { ...part, name: `${node.name}/shape`, op: 'Shape', inputs: [X], outputs: [shape] },
        { ...part, name: `${node.name}/restore`, op: 'Reshape', inputs: [normalised, shape], outputs: node.outputs },
      ];
    },
  };
}

/** Until operator set 11 nothing says what the mask holds in inference; onnxruntime fills it with zeros. */
const dropoutMask: Lift = {
  op: 'Dropout',
  below: 12,
  lift: (node, scope) =>
    scope.isUsed(node.outputs[1] ?? '') ? scope.refuse(node, 'Dropout (opset 11 or older) whose mask is used') : [node],
};

/**
 * The ratio is an input since operator set 12. The mode is left out: in inference Dropout passes its input on and its
 * mask is true throughout, and whoever trains decides for all Dropout nodes at once. `below` is beyond every operator
 * set, as this holds for all.
 */
const dropout: Lift = {
  op: 'Dropout',
  below: Infinity,
  lift: (node, scope) => {
    const [X = '', ratio = ''] = node.inputs;
    const given = ratio === '' ? scope.constant(node, 'ratio', float32([], [floatOf(node, 'ratio', 0.5)])) : ratio;
    const [Y = '', mask = ''] = node.outputs;
    const made = { ...node, inputs: [X, given], outputs: [Y], attributes: withAttributes(node, ['ratio']) };
    return scope.isUsed(mask) ? [...wholeMask(node, scope, X, mask), made] : [made];
  },
};

function wholeMask(node: GraphNode, scope: LiftScope, X: string, mask: string): readonly GraphNode[] {
  const shape = scope.fresh(node, 'shape');
  const part = { domain: '', attributes: {} };
  const value = { type: 'tensor', value: tensor('bool', [1], Uint8Array.of(1)) } as const;
  return [
    { ...part, name: shape, op: 'Shape', inputs: [X], outputs: [shape] },
    {
      ...part,
      name: `${node.name}/mask`,
      op: 'ConstantOfShape',
      inputs: [shape],
      outputs: [mask],
      attributes: { value },
    },
  ];
}

/** Until operator set 13 the running statistics among the outputs said that the statistics of the batch are used. */
const batchNormalization: Lift = {
  op: 'BatchNormalization',
  below: 14,
  lift: (node, scope) => {
    if (intOf(node, 'spatial', 1) === 0) return eachFeature(node, scope);
    if (node.outputs.slice(3).some(scope.isUsed))
      return scope.refuse(node, 'BatchNormalization whose saved statistics are used');
    const mode = node.outputs.length > 1 ? { training_mode: { type: 'int', value: 1 } as const } : {};
    return [{ ...node, outputs: node.outputs.slice(0, 3), attributes: withAttributes(node, ['spatial'], mode) }];
  },
};

/** Until operator set 8, spatial = 0 asked for statistics [C, D…] of each feature rather than [C] of each channel. */
function eachFeature(node: GraphNode, scope: LiftScope): readonly GraphNode[] {
  if (node.outputs.slice(1).some(scope.isUsed))
    return scope.refuse(node, 'BatchNormalization with spatial = 0 whose statistics are used');
  const [X = '', scale = '', bias = '', mean = '', variance = ''] = node.inputs;
  const steps = new Steps(node, scope);
  const deviation = steps.add('Sqrt', [steps.add('Add', [variance, steps.number(floatOf(node, 'epsilon', 1e-5))])]);
  const standard = steps.add('Div', [steps.add('Sub', [X, mean]), deviation]);
  steps.add('Add', [steps.add('Mul', [standard, scale]), bias]);
  return steps.finish();
}

/** Old Resize and Upsample sample at x / scale. */
function resizeAttributes(node: GraphNode, nearest: string): GraphNode['attributes'] {
  return withAttributes(node, ['scales'], {
    coordinate_transformation_mode: { type: 'string', value: 'asymmetric' },
    ...(stringOf(node, 'mode', 'nearest') === 'nearest' ? { nearest_mode: { type: 'string', value: nearest } } : {}),
  });
}

const upsample: Lift = {
  op: 'Upsample',
  below: 10,
  lift: (node, scope) => {
    const [X = '', given] = node.inputs;
    const attribute = node.attributes['scales'];
    const values = attribute?.type === 'floats' ? attribute.value : [];
    const scales = given ?? scope.constant(node, 'scales', float32([values.length], values));
    return [{ ...node, op: 'Resize', inputs: [X, '', scales], attributes: resizeAttributes(node, 'floor') }];
  },
};

/** Resize-10 takes the pixel above when it shrinks and the one below when it grows: first it grows, then it shrinks. */
const resize10: Lift = {
  op: 'Resize',
  below: 11,
  lift: (node, scope) => {
    const [X = '', scales = ''] = node.inputs;
    const factors = Array.from<number | bigint, number>(scope.constantOf(scales)?.data ?? [], Number);
    const [shrinks, grows] = [factors.some((factor) => factor < 1), factors.some((factor) => factor > 1)];
    const isMixed = factors.length === 0 || (shrinks && grows);
    if (!isMixed || stringOf(node, 'mode', 'nearest') !== 'nearest')
      return [{ ...node, inputs: [X, '', scales], attributes: resizeAttributes(node, shrinks ? 'ceil' : 'floor') }];
    const steps = new Steps(node, scope);
    const one = steps.number(1);
    const grown = steps.add('Resize', [X, '', steps.add('Max', [scales, one])], resizeAttributes(node, 'floor'));
    steps.add('Resize', [grown, '', steps.add('Min', [scales, one])], resizeAttributes(node, 'ceil'));
    return steps.finish();
  },
};

/** floor((x + ½)·s) is the same as half_pixel rounded up at halves. */
const resize11: Lift = {
  op: 'Resize',
  below: 13,
  lift: (node) => {
    if (stringOf(node, 'coordinate_transformation_mode', '') !== 'tf_half_pixel_for_nn') return [node];
    const attributes = withAttributes(node, [], {
      coordinate_transformation_mode: { type: 'string', value: 'half_pixel' },
      nearest_mode: { type: 'string', value: 'round_prefer_ceil' },
    });
    return [{ ...node, attributes }];
  },
};

const scatter: Lift = { op: 'Scatter', below: Infinity, lift: (node) => [{ ...node, op: 'ScatterElements' }] };

const gridSample: Lift = {
  op: 'GridSample',
  below: 20,
  lift: (node) => {
    const mode = stringOf(node, 'mode', 'bilinear');
    const value = mode === 'bilinear' ? 'linear' : mode === 'bicubic' ? 'cubic' : mode;
    return [{ ...node, attributes: withAttributes(node, [], { mode: { type: 'string', value } }) }];
  },
};

const roiAlign: Lift = {
  op: 'RoiAlign',
  below: 16,
  lift: (node) => {
    const mode = { type: 'string', value: 'output_half_pixel' } as const;
    return [{ ...node, attributes: withAttributes(node, [], { coordinate_transformation_mode: mode }) }];
  },
};

/** scale and bias were [num_groups] before operator set 21, and are [C] since. */
const groupNormalization: Lift = {
  op: 'GroupNormalization',
  below: 21,
  lift: (node, scope) => {
    const [X = '', scale = '', bias = ''] = node.inputs;
    const groups = intOf(node, 'num_groups', 1);
    const steps = new Steps(node, scope);
    const perGroup = steps.add('Div', [steps.sizeOf(X, 1), steps.ints(groups)]);
    const repeats = steps.add('Concat', [steps.ints(groups), perGroup], { axis: { type: 'int', value: 0 } });
    const wide = [scale, bias].map((value) =>
      steps.reshape(steps.add('Expand', [steps.reshape(value, groups, 1), repeats]), -1),
    );
    steps.add('GroupNormalization', [X, ...wide], node.attributes);
    return steps.finish();
  },
};

/**
 * With dilation onnxruntime does not work out auto_pad SAME by itself. At stride 1 it takes one pixel less than the kernel
 * reaches over, whatever the size.
 */
const samePaddedConv: Lift = {
  op: 'Conv',
  below: Infinity,
  lift: (node, scope) => {
    const automatic = stringOf(node, 'auto_pad', 'NOTSET');
    const dilations = intsOf(node, 'dilations') ?? [];
    if (!automatic.startsWith('SAME') || dilations.every((dilation) => dilation === 1)) return [node];
    const kernel = intsOf(node, 'kernel_shape') ?? scope.constantOf(node.inputs[1] ?? '')?.dims.slice(2);
    const isStrided = (intsOf(node, 'strides') ?? []).some((stride) => stride !== 1);
    if (kernel === undefined || isStrided)
      return scope.refuse(node, `Conv with dilations, auto_pad ${automatic} and strides or a kernel that is not known`);
    const totals = kernel.map((size, i) => (size - 1) * (dilations[i] ?? 1));
    const begins = totals.map((total) => (automatic === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)));
    const pads = [...begins, ...totals.map((total, i) => total - (begins[i] ?? 0))];
    return [{ ...node, attributes: withAttributes(node, ['auto_pad'], { pads: { type: 'ints', value: pads } }) }];
  },
};

const scan: Lift = { op: 'Scan', below: 9, lift: (node, scope: LiftScope) => scope.refuse(node, 'Scan (opset 8)') };

export const changedMeaning: readonly Lift[] = [
  ...['Softmax', 'LogSoftmax', 'Hardmax'].map(flattening),
  dropoutMask,
  dropout,
  batchNormalization,
  upsample,
  resize10,
  resize11,
  scatter,
  gridSample,
  roiAlign,
  groupNormalization,
  samePaddedConv,
  scan,
];
