import { WorkbenchError } from '../../base/errors.ts';
import { permutation, stream } from '../../base/rng.ts';
import type { Attack } from '../../attacks/attack.ts';
import { prepareAttack } from '../../attacks/registry.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import { openModelFile, type OpenedModel } from '../../train/models.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import type { Settled } from './budgets.ts';
import { mostImages } from './spec-work.ts';
import type { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;
type ModelGiven = RunContext<Params>['models'][string] | undefined;

export async function openVictimFile(ref: ModelGiven, role: string): Promise<OpenedModel> {
  if (ref?.kind === 'file') return openModelFile(ref.path, ref.normalisation, ref.dims, ref.classNames);
  throw new WorkbenchError(
    ref ? 'MODEL_UNSUITABLE' : 'PARAM_INVALID',
    ref
      ? `The ${role} must be a trained model file, got the architecture "${ref.architecture}"`
      : `The run names no ${role}, expected an ONNX file`,
    { hint: `Give an .onnx file with --${role}.` },
  );
}

/** A model beside the victim must take its images and give its classes; a source may have been trained on fewer. */
export function checkBeside(model: OpenedModel, victim: OpenedModel, role: string): OpenedModel {
  const reasons = [
    ...(model.shape.join() === victim.shape.join()
      ? []
      : [`it takes images of ${model.shape.join(' × ')}, expected ${victim.shape.join(' × ')}`]),
    ...(model.classes === victim.classes ? [] : [`it has ${model.classes} classes, expected ${victim.classes}`]),
  ];
  if (reasons.length === 0) return model;
  throw new WorkbenchError('MODEL_UNSUITABLE', `The ${role} ${model.title} does not fit: ${reasons.join('; ')}`, {
    hint: `Choose a ${role} with the input and classes of the audited model.`,
  });
}

export interface ChosenAttacks {
  readonly attacks: readonly Attack[];
  /** Attacks that were left out, and why. */
  readonly leftOut: readonly string[];
}

/**
 * The attacks of the run with their options settled. Those that cannot work here are left out and named.
 * @throws PARAM_INVALID for unknown options, or when none is left
 */
export function chooseAttacks(params: Params, settled: Settled, classes: number, hasSource: boolean): ChosenAttacks {
  const unknown = Object.keys(params.attackOptions).filter((id) => !params.attacks.includes(id));
  if (unknown.length > 0) {
    throw new WorkbenchError('PARAM_INVALID', `Options are given for attacks that do not run: ${unknown.join(', ')}`, {
      hint: `Attacks of this run: ${params.attacks.join(', ')}.`,
    });
  }
  const leftOut: string[] = [];
  const attacks = [...new Set(params.attacks)].flatMap((id) => {
    const attack = prepareAttack(id, settled.options[id] ?? {});
    const { title, norms, fewestClasses, canTarget, access } = attack.declaration;
    const why = !norms.includes(params.norm)
      ? `is not for ${params.norm}`
      : classes < fewestClasses
        ? `needs ${fewestClasses} classes, the model has ${classes}`
        : params.goal !== 'untargeted' && !canTarget
          ? 'cannot be told which class to reach'
          : access === 'transfer' && !hasSource
            ? 'needs a source model'
            : undefined;
    if (why === undefined) return [attack];
    leftOut.push(`${title} is left out: it ${why}.`);
    return [];
  });
  if (attacks.length > 0) return { attacks, leftOut };
  throw new WorkbenchError('PARAM_INVALID', `No attack is left. ${leftOut.join(' ')}`, {
    hint: 'Choose other attacks, another norm, or an untargeted goal.',
  });
}

/** @throws PARAM_INVALID for bounds without room or an epsilon that reaches over the whole box */
export function checkBudget(params: Params, settled: Settled, size: number): void {
  const width = params.high - params.low;
  if (!(width > 0)) {
    throw new WorkbenchError(
      'PARAM_INVALID',
      `Pixel bounds: expected low below high, got ${params.low} and ${params.high}`,
      { hint: 'Images are read as 0 to 1: leave both away unless the model is fed something else.' },
    );
  }
  const most = { linf: width, l2: width * Math.sqrt(size), l1: width * size }[params.norm];
  const above = [
    ...settled.epsilons.filter((epsilon) => epsilon > most),
    ...(settled.universalEpsilon > width ? [settled.universalEpsilon] : []),
  ];
  if (above.length === 0) return;
  throw new WorkbenchError(
    'PARAM_INVALID',
    `Epsilon ${above.join(', ')}: expected at most ${Number(most.toPrecision(6))}, which in ${params.norm} reaches every image`,
    { hint: 'Epsilon is in the units of the pixels: 8/255 is written 0.0314.' },
  );
}

/** What of an audit its memory grows with. */
export interface Extent {
  readonly count: number;
  readonly attacks: number;
  readonly epsilons: number;
  /** Of each audited model. */
  readonly classes: readonly number[];
}

/** @throws PARAM_INVALID for more images than figures can be held of, or larger files than an archive can be */
export function checkExtent(params: Params, { count, attacks, epsilons, classes }: Extent, size: number): void {
  const beside = params.severity ? params.stepCounts.length + (params.severityBounds ? 2 : 0) : 0;
  const stages = epsilons * (attacks * classes.length + beside);
  const most = mostImages({ stages, classes });
  if (count > most) {
    throw new WorkbenchError(
      'PARAM_INVALID',
      `Images: expected at most ${most} with ${attacks} attacks at ${epsilons} epsilons on ${classes.length === 1 ? 'one model' : `${classes.length} models`}, got ${count}: the figures of each do not fit into memory`,
      { hint: 'Audit fewer images (--count), or fewer attacks and epsilons at a time.' },
    );
  }
  const kept = Math.min(params.exported, count);
  const mostKept = Math.floor(2 ** 31 / (4 * size));
  if (kept <= mostKept) return;
  throw new WorkbenchError(
    'PARAM_INVALID',
    `Adversarial images kept: expected at most ${mostKept} of ${size} numbers each, got ${kept}: their file would be above 4 GiB`,
    { hint: 'Keep fewer adversarial images (--exported).' },
  );
}

/** Numbers of the audited images in the data, and of images left for making universal perturbations. */
export interface Picked {
  readonly audited: Int32Array<ArrayBuffer>;
  readonly rest: Int32Array<ArrayBuffer>;
}

export function pickImages(params: Params, labels: Int32Array, classes: number): Picked {
  const { pick, seed } = params;
  const count = Math.min(params.count, labels.length);
  const order =
    pick === 'first'
      ? Int32Array.from(labels, (_, i) => i)
      : pick === 'random'
        ? permutation(stream(seed, 'pick'), labels.length)
        : stratifiedOrder(labels, classes, seed);
  return { audited: order.slice(0, count).sort(), rest: order.slice(count, count + params.universalImages).sort() };
}

/** One image of each class after the other, each class shuffled; classes that run out are passed over. */
function stratifiedOrder(labels: Int32Array, classes: number, seed: number): Int32Array<ArrayBuffer> {
  const shuffled = permutation(stream(seed, 'pick'), labels.length);
  const places = new Int32Array(classes);
  const rounds = new Map(Array.from(shuffled, (i) => [i, places[labels[i]!]!++] as const));
  const key = (i: number): number => (rounds.get(i) ?? 0) * classes + labels[i]!;
  return shuffled.sort((a, b) => key(a) - key(b));
}

/** @throws DATA_UNSUITABLE naming the first image with a pixel outside the bounds; `indices` [n] are their numbers in the data */
export function checkPixels(images: Float32Array, indices: Int32Array, { low, high }: Params, title: string): void {
  const size = images.length / indices.length;
  for (let at = 0; at < images.length; at++) {
    const value = images[at]!;
    if (value >= low - 1e-6 && value <= high + 1e-6) continue;
    throw new WorkbenchError(
      'DATA_UNSUITABLE',
      `${title}: image ${indices[Math.floor(at / size)] ?? 0} has a pixel of ${value}, expected ${low} to ${high}`,
      { hint: 'Give raw pixels; mean and deviation belong to the model. Or set the bounds of the pixels.' },
    );
  }
}

/** Pixels as other pipelines hand them over; shares of right answers tell which one the model was made for. */
const readings: readonly { readonly title: string; readonly of: (value: number, channel: number) => number }[] = [
  { title: 'as they are', of: (value) => value },
  { title: 'inverted', of: (value) => 1 - value },
  { title: 'from 0 to 255', of: (value) => 255 * value },
  { title: 'from −1 to 1', of: (value) => 2 * value - 1 },
  {
    title: 'with ImageNet’s mean and deviation',
    of: (value, channel) => (value - [0.485, 0.456, 0.406][channel % 3]!) / [0.229, 0.224, 0.225][channel % 3]!,
  },
];

/**
 * Accuracy under several readings of the pixels, and with the model's classes renamed as suits it best: where one of them
 * is far above the first, the file and the data do not speak of the same pixels or classes.
 */
export async function sanityMeter(
  images: Float32Array,
  labels: Int32Array,
  model: Pick<OpenedModel, 'shape' | 'classes'>,
  logitsOf: (images: Float32Array) => Promise<Float32Array>,
): Promise<readonly { readonly title: string; readonly accuracy: number }[]> {
  const [channels, height, width] = model.shape;
  const size = channels * height * width;
  const share = (answers: Int32Array, names?: Int32Array): number =>
    answers.reduce((hits, answer, i) => hits + Number((names ? names[answer] : answer) === labels[i]), 0) /
    labels.length;
  const found: { title: string; accuracy: number }[] = [];
  for (const { title, of } of readings) {
    const read = images.map((value, at) => of(value, Math.floor((at % size) / (height * width))));
    const answers = argmaxRows(await logitsOf(read), model.classes);
    found.push({ title, accuracy: share(answers) });
    if (title === 'as they are')
      found.push({
        title: 'with the classes renamed',
        accuracy: share(answers, bestNames(answers, labels, model.classes)),
      });
  }
  return found;
}

/** For each answer the class that it most often stands for. */
function bestNames(answers: Int32Array, labels: Int32Array, classes: number): Int32Array {
  const counts = new Int32Array(classes * classes);
  for (let i = 0; i < labels.length; i++) counts[answers[i]! * classes + labels[i]!]!++;
  return Int32Array.from({ length: classes }, (_, k) => {
    const row = counts.subarray(k * classes, (k + 1) * classes);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b), 0));
  });
}
