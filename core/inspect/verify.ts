import { invariant, WorkbenchError } from '../base/errors.ts';
import { float32, floatsOf, int64, zeros, type FloatTensor, type Tensor } from '../base/tensor.ts';
import { sameShape, type GraphBuilder, type Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import { cutAtLogits, describeClassifier } from '../onnx/classifier.ts';
import type { ImageInput } from '../onnx/classifier/description.ts';
import { withImageSize } from '../onnx/classifier/image-size.ts';
import type { Graph, OnnxModel } from '../onnx/graph.ts';
import type { Session, Tensors } from '../runtime/session.ts';
import { compare, failed, norm, sum, type Comparison } from './compare.ts';
import { differsAsOnKink, nudged, onKink } from './kinks.ts';
import { flatLogits, meanCrossEntropy, sumOfSquares } from './objective.ts';
import { defaultTolerances, type Tolerances } from './tolerances.ts';
import { PlainBuilder } from './plain-builder.ts';
import { splitUses, type Use } from './uses.ts';

export interface Verification {
  readonly passed: boolean;
  readonly comparisons: readonly Comparison[];
  /** Tensors of the layout that the reference does not have, and tensors of the reference that the layout does not know. */
  readonly missing: readonly string[];
  readonly ignored: readonly string[];
}

export interface VerifyOptions {
  readonly tolerances?: Partial<Tolerances>;
  /** Loads a graph of the house operator set; sessions are closed here. */
  readonly open: (graph: Graph) => Promise<Session>;
}

const prefix = 'dp/';
const wrong = 'Make the reference from this model: x, label, logits, loss, dx, dp/<initialiser>, d2x.';

/**
 * Compares a classifier's logits, loss (mean cross-entropy), ∂loss/∂x, ∂loss/∂parameter and ∂/∂x Σ‖∂loss/∂parameter‖²
 * with those of a reference. The sum goes over the parameters that the reference has.
 *
 * An exporter may merge parameters of equal content into one initialiser with several uses; the reference then holds the
 * derivative of one of them, the first. So the derivative is taken at each use apart, and compared at the first use;
 * where that disagrees, with the sum over all uses (a parameter that is really shared) and then with each other use.
 * A comparison that is not with the only use says so in its note.
 *
 * Where x lies within rounding of a kink (a ReLU at 0, a tie in a max pool), two correct programs may take different
 * sides. So where values agree and gradients nearly do, x is nudged by its rounding; gradients that all agree there pass,
 * with a note.
 * @throws DATA_UNSUITABLE when x or label are missing or do not fit the model
 */
export async function verifyGradients(
  model: OnnxModel,
  reference: Tensors,
  { tolerances, open }: VerifyOptions,
): Promise<Verification> {
  const limits = { ...defaultTolerances, ...tolerances };
  const task = prepare(model, reference);
  const plain = await compareAll(task, reference, limits, open);
  const comparisons = differsAsOnKink(plain) ? await besideKink(task, reference, limits, open, plain) : plain;
  const known = new Set(['x', 'label', 'logits', 'loss', 'dx', 'd2x']);
  const names = Object.keys(reference);
  const hasParameters = names.some((name) => name.startsWith(prefix));
  return {
    passed: allPassed(comparisons),
    comparisons,
    missing: [
      ...['logits', 'loss', 'dx', 'd2x'].filter((name) => !Object.hasOwn(reference, name)),
      ...(hasParameters ? [] : ['dp/…']),
    ],
    ignored: names.filter((name) => !known.has(name) && !name.startsWith(prefix)),
  };
}

/** Images that differ from x by rounding, tried where x may lie on a kink. */
const nudges = 4;

/** The comparisons at an image beside x where all agree, else those at x. */
async function besideKink(
  task: Task,
  reference: Tensors,
  limits: Tolerances,
  open: VerifyOptions['open'],
  plain: readonly Comparison[],
): Promise<readonly Comparison[]> {
  for (let attempt = 0; attempt < nudges; attempt++) {
    const beside = await compareAll({ ...task, x: nudged(task.x, attempt) }, reference, limits, open);
    if (allPassed(beside)) return onKink(plain, beside);
  }
  return plain;
}

const allPassed = (comparisons: readonly Comparison[]): boolean =>
  comparisons.length > 0 && comparisons.every(({ passed }) => passed);

async function compareAll(
  task: Task,
  reference: Tensors,
  limits: Tolerances,
  open: VerifyOptions['open'],
): Promise<Comparison[]> {
  const first = await firstOrder(task, open);
  const comparisons: Comparison[] = [];
  for (const name of ['logits', 'loss', 'dx'] as const) {
    const theirs = reference[name];
    if (theirs) comparisons.push(compare(name, first[name], theirs, limits[name === 'dx' ? 'dx' : 'logits']));
  }
  const bindings = bindUses(task, first, reference, limits.dp);
  comparisons.push(...bindings.map(({ comparison }) => comparison));
  const bound = bindings.flatMap(({ uses }) => (uses ? [uses] : []));
  if (reference['d2x']) {
    const second = bound.length === 0 ? undefined : await secondOrder(task, bound, open);
    comparisons.push(
      second
        ? compare('d2x', second, reference['d2x'], limits.d2x)
        : failed('d2x', limits.d2x, 'there is no dp to take it from'),
    );
  }
  return comparisons;
}

interface Task {
  /** From images [N, C, H, W] to logits [N, K]; every use of a parameter of the reference has its own initialiser. */
  readonly graph: Graph;
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  readonly x: FloatTensor;
  readonly labels: Tensor;
  /** x as an image [N, C, H, W]; the reference may have it as the file lays it out. */
  readonly image: (g: GraphBuilder, x: Value) => Value;
}

function prepare(model: OnnxModel, reference: Tensors): Task {
  const { x, label } = reference;
  if (!x || !label) {
    const missing = [...(x ? [] : ['x']), ...(label ? [] : ['label'])].join(' and ');
    throw new WorkbenchError('DATA_UNSUITABLE', `The reference has no ${missing}`, { hint: wrong });
  }
  const sized = sizedBy(model, x.dims);
  const { input, classCount } = describeClassifier(sized);
  const image = layoutOf(input, x);
  const [n = 0] = x.dims;
  const labels = Array.from<number | bigint, number>(label.data, Number);
  const isLabel = (k: number): boolean => Number.isInteger(k) && k >= 0 && k < classCount;
  if (labels.length !== n || !labels.every(isLabel)) {
    throw new WorkbenchError(
      'DATA_UNSUITABLE',
      `Expected ${n} labels from 0 to ${classCount - 1}, got ${labels.length}: ${labels.slice(0, 8).join(', ')}`,
      { hint: wrong },
    );
  }
  const names = Object.keys(reference).filter((name) => name.startsWith(prefix));
  const split = splitUses(cutAtLogits(sized), new Set(names.map((name) => name.slice(prefix.length))));
  return { ...split, x: float32(x.dims, floatsOf(x)), labels: int64([n], labels), image };
}

/** The model with sizes that it leaves open taken from the images. */
function sizedBy(model: OnnxModel, [, ...sizes]: readonly number[]): OnnxModel {
  const [channels, height, width] = sizes;
  const image = model.graph.inputs.find(({ shape }) => shape?.length === 4)?.shape;
  if (channels === undefined || height === undefined || width === undefined || !image) return model;
  const isOpen = image.slice(1).some((dim) => typeof dim !== 'number');
  return isOpen ? withImageSize(model, { channels, height, width }) : model;
}

/** How x becomes an image [N, C, H, W]. @throws DATA_UNSUITABLE when it cannot */
function layoutOf(input: ImageInput, x: Tensor): Task['image'] {
  const { channels, height, width, layout, fixedBatch } = input;
  const [n = 0, ...rest] = x.dims;
  const asImage = [channels, height, width];
  const asStored =
    layout === 'nhwc' ? [height, width, channels] : layout === 'rows' ? [channels * height * width] : asImage;
  if (x.dtype === 'float32' && n > 0 && (fixedBatch === undefined || fixedBatch === n)) {
    if (layout === 'nhwc' && sameShape(rest, asStored)) return (g, value) => g.transpose(value, [0, 3, 1, 2]);
    if (sameShape(rest, asStored) || sameShape(rest, asImage)) return (g, value) => g.reshape(value, [n, ...asImage]);
  }
  throw new WorkbenchError(
    'DATA_UNSUITABLE',
    `Expected x to be float32 [${[fixedBatch ?? 'N', ...asStored].join(', ')}] for this model, got ${x.dtype} [${x.dims.join(', ')}]`,
    { hint: wrong },
  );
}

interface Built {
  readonly g: GraphBuilder;
  readonly x: Value;
  readonly logits: Value;
  readonly loss: Value;
  readonly feeds: Record<string, Tensor>;
}

/** Emits logits and loss; what `parameters` binds takes the place of initialisers. */
function emitLoss(task: Task, parameters: (g: GraphBuilder) => Readonly<Record<string, Value>>): Built {
  // Minimal filtering is quicker and less exact: enough to end on the other side of many a kink.
  const g = new PlainBuilder('verify/');
  const x = g.input('verify/x', 'float32', task.x.dims);
  const labels = g.input('verify/labels', 'int64', task.labels.dims);
  const { outputs } = inlineGraph(g, task.graph, {
    inputs: { [task.graph.inputs[0]?.name ?? '']: task.image(g, x) },
    parameters: parameters(g),
  });
  const [output] = Object.values(outputs);
  invariant(output, 'a cut classifier has an output');
  const logits = flatLogits(g, output);
  return {
    g,
    x,
    logits,
    loss: meanCrossEntropy(g, logits, labels),
    feeds: { 'verify/x': task.x, 'verify/labels': task.labels },
  };
}

/** Feeds a tensor instead of a constant: what is derived by must not be folded away. */
function promote(g: GraphBuilder, task: Task, key: string, feeds: Record<string, Tensor>): Value {
  const tensor = task.graph.initializers.get(key);
  invariant(tensor, `use ${key} has a tensor`);
  const name = `verify/p/${key}`;
  feeds[name] = tensor;
  return g.input(name, tensor.dtype, tensor.dims);
}

async function run(built: Built, feeds: Tensors, open: VerifyOptions['open']): Promise<Record<string, Tensor>> {
  const session = await open(built.g.build('verify'));
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

interface FirstOrder {
  readonly logits: Tensor;
  readonly loss: Tensor;
  readonly dx: Tensor;
  /** By the key of the use. */
  readonly dp: ReadonlyMap<string, Tensor>;
}

async function firstOrder(task: Task, open: VerifyOptions['open']): Promise<FirstOrder> {
  const parameters: Record<string, Value> = {};
  const fed: Record<string, Tensor> = {};
  const floats = [...task.uses.values()].flat().filter(({ key }) => isFloat(task, key));
  const built = emitLoss(task, (g) => {
    for (const { key } of floats) parameters[key] = promote(g, task, key, fed);
    return parameters;
  });
  const { g, x, logits, loss } = built;
  const keys = Object.keys(parameters);
  const [dx, ...dp] = gradients(g, loss, [x, ...Object.values(parameters)]);
  g.output('logits', logits);
  g.output('loss', loss);
  if (dx) g.output('dx', dx);
  dp.forEach((value, i) => value && g.output(`dp/${i}`, value));
  const results = await run(built, { ...built.feeds, ...fed }, open);
  // No path from the value to the loss: the derivative is zero.
  const result = (name: string, shape: readonly number[]): Tensor => results[name] ?? zeros(shape);
  return {
    logits: result('logits', logits.shape),
    loss: result('loss', []),
    dx: result('dx', task.x.dims),
    dp: new Map(keys.map((key, i) => [key, result(`dp/${i}`, parameters[key]?.shape ?? [])])),
  };
}

const isFloat = (task: Task, key: string): boolean => task.graph.initializers.get(key)?.dtype === 'float32';

/** ∂/∂x Σ‖∂loss/∂p‖², each p bound at the given uses and constant at its others. */
async function secondOrder(
  task: Task,
  bound: readonly (readonly Use[])[],
  open: VerifyOptions['open'],
): Promise<Tensor> {
  const fed: Record<string, Tensor> = {};
  const promoted: Value[] = [];
  const built = emitLoss(task, (g) => {
    const parameters: Record<string, Value> = {};
    for (const uses of bound) {
      const value = promote(g, task, uses[0]?.key ?? '', fed);
      promoted.push(value);
      for (const { key } of uses) parameters[key] = value;
    }
    return parameters;
  });
  const { g, x, loss } = built;
  const dp = gradients(g, loss, promoted).filter((value) => value !== undefined);
  const [d2x] = dp.length === 0 ? [] : gradients(g, sumOfSquares(g, dp), [x]);
  if (!d2x) return zeros(task.x.dims);
  g.output('d2x', d2x);
  const results = await run(built, { ...built.feeds, ...fed }, open);
  return results['d2x'] ?? zeros(task.x.dims);
}

interface Binding {
  readonly comparison: Comparison;
  /** The uses that the reference's parameter stands for; undefined when it is no parameter of the model. */
  readonly uses: readonly Use[] | undefined;
}

/** Below this share of the largest dp, a gradient is what rounding leaves of zero. */
const zeroShare = 1e-6;

function bindUses(task: Task, first: FirstOrder, reference: Tensors, tolerance: number): readonly Binding[] {
  const entries = Object.entries(reference).filter(([name]) => name.startsWith(prefix));
  const largest = Math.max(0, ...entries.map(([, theirs]) => norm(theirs.data)));
  return entries.map(([name, theirs]): Binding => {
    const uses = task.uses.get(name.slice(prefix.length)) ?? [];
    const ours = uses.map(({ key }) => first.dp.get(key));
    const [own] = ours;
    if (!own) return { comparison: failed(name, tolerance, missingNote(task, name)), uses: undefined };
    const judged = (value: Tensor, note?: string): Comparison =>
      compare(name, value, theirs, tolerance, { note, zeroBelow: zeroShare * largest });
    if (uses.length === 1) return { comparison: judged(own), uses };
    const choices: readonly [Comparison, readonly Use[]][] = [
      [judged(own, `compared at the first of ${uses.length} uses`), uses.slice(0, 1)],
      [judged(sum(ours), `compared with the sum over ${uses.length} uses`), uses],
      ...uses.slice(1).map((use, i): [Comparison, readonly Use[]] => {
        const note = `compared at use ${i + 2} of ${uses.length}, node ${use.node}`;
        return [judged(ours[i + 1] ?? own, note), [use]];
      }),
    ];
    const [comparison, chosen] = choices.find(([{ passed }]) => passed) ?? choices[0] ?? [];
    invariant(comparison && chosen, 'a used parameter has a comparison');
    return { comparison, uses: chosen };
  });
}

function missingNote(task: Task, name: string): string {
  const key = name.slice(prefix.length);
  const tensor = task.graph.initializers.get(key);
  if (tensor && !isFloat(task, key)) return `${key} is ${tensor.dtype}, which has no derivative`;
  return `the model has no initialiser ${key} on the way to the logits`;
}
