import { float, int, string } from '../../attributes.ts';
import { absent, apart, between, constant, data, normal, offZero, x, type Domain, type RuleCase } from '../case.ts';

const one = (op: string, domain: Domain, name = 'plain', attributes: RuleCase['attributes'] = {}): RuleCase => ({
  op,
  name,
  inputs: [x([2, 3], domain)],
  attributes,
});

/** The forms in which shapes broadcast. */
const pairs = (op: string, left: Domain, right: Domain): RuleCase[] => [
  { op, name: 'same shapes', inputs: [x([2, 3], left), x([2, 3], right)] },
  { op, name: 'a row added to a matrix', inputs: [x([2, 3], left), x([3], right)] },
  { op, name: 'both sides broadcast', inputs: [x([2, 1, 3], left), x([4, 1], right)] },
  { op, name: 'a scalar and a matrix', inputs: [x([], left), x([2, 2], right)] },
];

const positive = between(0.5, 2);
const small = between(-0.8, 0.8);

/** Away from −3, 0 and 3, with elements in every piece. */
const pieces: Domain = (_, size) =>
  Array.from({ length: size }, (_unused, i) => [-4.1, -1.7, -0.6, 0.7, 2.2, 3.9][i % 6] ?? 0);

const smooth: readonly RuleCase[] = [
  one('Neg', normal),
  one('Sqrt', positive),
  one('Exp', normal),
  one('Log', positive),
  one('Reciprocal', offZero),
  one('Erf', normal),
  one('Sin', normal),
  one('Cos', normal),
  one('Tan', small),
  one('Asin', small),
  one('Acos', between(-0.5, 0.5)),
  one('Atan', normal),
  one('Sinh', normal),
  one('Cosh', normal),
  one('Asinh', normal),
  one('Acosh', between(1.5, 3)),
  one('Atanh', between(-0.5, 0.5)),
  one('Tanh', normal),
  one('Sigmoid', normal),
  one('Softplus', normal),
  one('Gelu', normal),
  one('Gelu', normal, 'tanh approximation', { approximate: string('tanh') }),
  one('Mish', normal),
  one('Identity', normal),
];

const kinked: readonly RuleCase[] = [
  one('Abs', offZero),
  one('Softsign', offZero),
  one('Relu', offZero),
  one('LeakyRelu', offZero),
  one('LeakyRelu', offZero, 'alpha 0.3', { alpha: float(0.3) }),
  one('ThresholdedRelu', pieces),
  one('Elu', offZero),
  one('Elu', offZero, 'alpha 0.5', { alpha: float(0.5) }),
  one('Selu', offZero),
  one('Selu', offZero, 'own constants', { alpha: float(0.7), gamma: float(1.3) }),
  one('Celu', offZero),
  one('Celu', offZero, 'alpha 2', { alpha: float(2) }),
  one('HardSigmoid', pieces),
  one('HardSigmoid', pieces, 'as in MobileNetV3', { alpha: float(1 / 6), beta: float(0.5) }),
  one('HardSwish', pieces),
  one('Shrink', pieces),
  one('Shrink', pieces, 'soft', { bias: float(0.9), lambd: float(0.9) }),
  { op: 'PRelu', name: 'slope for each channel', inputs: [x([2, 3, 2], offZero), x([3, 1])] },
  { op: 'PRelu', name: 'slope of the same shape', inputs: [x([2, 3], offZero), x([2, 3])] },
  {
    op: 'Clip',
    name: 'both bounds',
    inputs: [x([2, 3], pieces), constant('float64', [], [-1]), constant('float64', [], [3])],
  },
  { op: 'Clip', name: 'low bound', inputs: [x([2, 3], pieces), constant('float64', [], [-1])] },
  { op: 'Clip', name: 'high bound', inputs: [x([2, 3], pieces), absent, constant('float64', [], [1])] },
  { op: 'Clip', name: 'no bound', inputs: [x([2, 3], pieces)] },
  {
    op: 'Clip',
    name: 'bounds that are variables',
    inputs: [x([2, 3], pieces), x([], between(-1.2, -1)), x([], between(1, 1.5))],
  },
  {
    op: 'Clip',
    name: 'the high bound below the low one',
    inputs: [x([2, 3], pieces), x([], between(1, 1.5)), x([], between(-1.2, -1))],
  },
  { op: 'Clip', name: 'a low bound that is a variable', inputs: [x([2, 3], pieces), x([1], between(-1.2, -1))] },
  { op: 'Dropout', name: 'inference', inputs: [x([2, 3])] },
  {
    op: 'Dropout',
    name: 'inference said',
    inputs: [x([2, 3]), constant('float32', [], [0.5]), constant('bool', [], [0])],
    outputs: 2,
  },
  { op: 'Cast', name: 'to the same precision', inputs: [x([2, 3])], attributes: { to: int(11) } },
  { op: 'CastLike', name: 'to the same precision', inputs: [x([2, 3]), data('float64', [1], [0])] },
];

const binary: readonly RuleCase[] = [
  ...pairs('Add', normal, normal),
  ...pairs('Sub', normal, normal),
  ...pairs('Mul', normal, normal),
  ...pairs('Div', normal, offZero),
  ...pairs('Pow', positive, normal),
  ...[0, 1, 2, 3, -1, 0.5].map((exponent): RuleCase => ({
    op: 'Pow',
    name: `exponent ${exponent}`,
    inputs: [x([2, 3], positive), constant('float64', [], [exponent])],
  })),
  { op: 'Pow', name: 'square of negative numbers', inputs: [x([2, 3], offZero), constant('int64', [], [2])] },
  {
    op: 'Pow',
    name: 'a constant exponent for each column',
    inputs: [x([2, 3], positive), constant('float64', [3], [0, 1, 2.5])],
  },
  {
    op: 'Mod',
    name: 'fmod',
    inputs: [x([2, 3], between(5.2, 5.8)), x([3], between(2.1, 2.4))],
    attributes: { fmod: int(1) },
  },
  {
    op: 'Mod',
    name: 'fmod of negative numbers',
    inputs: [x([3], between(-5.8, -5.2)), x([], between(2.1, 2.4))],
    attributes: { fmod: int(1) },
  },
  ...['Max', 'Min'].flatMap((op): RuleCase[] => [
    { op, name: 'one input', inputs: [x([3])] },
    { op, name: 'two inputs', inputs: [x([3, 4], apart(0.7)), x([4], apart(0.9))] },
    { op, name: 'three inputs', inputs: [x([2, 3], apart(0.7)), x([3], apart(0.9)), x([2, 1], apart(1.1))] },
  ]),
  ...['Sum', 'Mean'].flatMap((op): RuleCase[] => [
    { op, name: 'one input', inputs: [x([3])] },
    { op, name: 'three that broadcast', inputs: [x([2, 3]), x([3]), x([2, 1])] },
  ]),
  { op: 'Where', name: 'same shapes', inputs: [data('bool', [2, 3], [1, 0, 1, 0, 0, 1]), x([2, 3]), x([2, 3])] },
  { op: 'Where', name: 'all broadcast', inputs: [data('bool', [2, 1], [1, 0]), x([1, 3]), x([2, 2, 1])] },
];

/** Operators that onnxruntime's CPU provider has in float32 only, or whose gradients use such a one. */
const single = new Set(
  `Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Softplus Softsign Erf Gelu Mish LeakyRelu ThresholdedRelu Elu Selu Celu
   HardSigmoid HardSwish Shrink PRelu Mean`.split(/\s+/),
);

export const elementwiseCases: readonly RuleCase[] = [...smooth, ...kinked, ...binary].map((c) =>
  single.has(c.op) ? { ...c, dtype: 'float32' } : c,
);
