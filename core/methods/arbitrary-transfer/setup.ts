import { fillUniform, permutation, stream } from '../../base/rng.ts';
import type { ImageSet } from '../../data/dataset.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import type { Arm } from '../../train/arms.ts';
import type { DistillOptions } from '../../train/distillation.ts';
import { predictLogits } from '../../train/evaluate-arms.ts';
import { arraySource, type ImageSource } from '../../train/evaluate.ts';
import type { OpenedModel } from '../../train/models.ts';
import { viewOf } from '../common-params.ts';
import type { ParamsOf } from '../define.ts';
import type { ChosenSet } from './balance.ts';
import { chosenImages } from './pool.ts';
import type { spec } from './spec.ts';
import type { SetPair } from './transfer-sets.ts';

type Params = ParamsOf<typeof spec>;

export interface ArmInputs {
  readonly params: Params;
  readonly teacher: OpenedModel;
  /** One for each repeat, initialised from its seed. */
  readonly students: readonly OpenedModel[];
  readonly pairs: readonly SetPair[];
  readonly real: ImageSet | undefined;
  readonly session: SessionOptions;
  readonly signal: AbortSignal;
}

/** Name of an arm of a repeat: 'balanced', 'balanced-2', … */
export const armName = (kind: 'balanced' | 'unbalanced', repeat: number): string =>
  repeat === 0 ? kind : `${kind}-${repeat + 1}`;

/** Students of a comparison: a balanced and an unbalanced one for each repeat, then the references. */
export const armCount = (params: Params, hasReal: boolean): number =>
  2 * params.repeats + Number(params.controlReal && hasReal) + Number(params.controlShuffled);

/**
 * The arms of a run. Both students of a pair start from the same weights and see the same order and views, so that
 * they differ in their images alone; the references are made with the first pair's seed and size.
 */
export async function transferArms(inputs: ArmInputs): Promise<Arm[]> {
  const { params, pairs, students, real } = inputs;
  const arms: Arm[] = [];
  for (const pair of pairs) {
    const { repeat, seed, balanced, unbalanced } = pair;
    const student = students[repeat];
    if (!student) continue;
    const suffix = repeat === 0 ? '' : `, repeat ${repeat + 1}`;
    const other = params.skew > 0 ? `Skewed, s = ${params.skew}` : 'Unbalanced';
    const own = { seed, student, pair };
    arms.push(
      await poolArm(inputs, own, balanced, armName('balanced', repeat), `Balanced${suffix}`),
      await poolArm(inputs, own, unbalanced, armName('unbalanced', repeat), `${other}${suffix}`),
    );
  }
  const [pair] = pairs;
  const [student] = students;
  if (!pair || !student) return arms;
  const size = pair.balanced.positions.length;
  if (params.controlReal && real) {
    const taken = permutation(stream(params.seed, 'control-real'), real.count).slice(0, size);
    const source = chosenImages(real, taken);
    const options = distillOptions(inputs, student, params.seed, source.count);
    arms.push({ name: 'real', title: 'Reference: real images', selection: 'final', set: { source }, options });
  }
  if (params.controlShuffled) arms.push(await shuffledArm(inputs, student, size));
  return arms;
}

interface PairMember {
  readonly seed: number;
  readonly student: OpenedModel;
  readonly pair: SetPair;
}

async function poolArm(
  inputs: ArmInputs,
  { seed, student, pair }: PairMember,
  chosen: ChosenSet,
  name: string,
  title: string,
): Promise<Arm> {
  const { params, teacher, session, signal } = inputs;
  const source = chosenImages(pair.pass.source, chosen.positions);
  const needsResponses = params.softLabels !== 'relabel' || params.selection === 'agreement';
  const responses = needsResponses ? await predictLogits(teacher, source, session, signal) : undefined;
  return {
    name,
    title,
    selection: params.selection,
    set: {
      source,
      ...(responses ? givenLabels(responses, params, teacher.classes) : {}),
      ...(chosen.weights ? { weights: chosen.weights } : {}),
    },
    options: distillOptions(inputs, student, seed, source.count),
    ...(responses ? { responses } : {}),
  };
}

/** Labels that do not follow the augmented view; log-probabilities times the temperature serve as logits. */
function givenLabels(
  responses: Float32Array,
  { softLabels, temperature }: Params,
  classes: number,
): { logits?: Float32Array } {
  if (softLabels === 'relabel') return {};
  if (softLabels === 'response') return { logits: responses };
  const floor = temperature * Math.log(1e-12);
  const logits = new Float32Array(responses.length).fill(floor);
  argmaxRows(responses, classes).forEach((label, i) => (logits[i * classes + label] = 0));
  return { logits };
}

/** Uniform noise with the teacher's answers to other images of it: what is learned without any link to the input. */
async function shuffledArm(inputs: ArmInputs, student: OpenedModel, size: number): Promise<Arm> {
  const { params, teacher, session, signal } = inputs;
  const { shape, classes } = teacher;
  const noise = new Float32Array(size * shape[0] * shape[1] * shape[2]);
  fillUniform(stream(params.seed, 'control-shuffled'), noise);
  const source: ImageSource = arraySource(noise, shape);
  const answers = await predictLogits(teacher, source, session, signal);
  const logits = new Float32Array(answers.length);
  permutation(stream(params.seed, 'control-shuffled.order'), size).forEach((from, to) =>
    logits.set(answers.subarray(from * classes, (from + 1) * classes), to * classes),
  );
  return {
    name: 'shuffled',
    title: 'Reference: shuffled answers',
    selection: 'final',
    set: { source, logits },
    options: distillOptions(inputs, student, params.seed, size),
  };
}

function distillOptions(
  { params, teacher }: ArmInputs,
  student: OpenedModel,
  seed: number,
  count: number,
): Omit<DistillOptions, 'session'> {
  return {
    // Random streams go by this name: the same for all arms of a seed.
    name: 'student',
    teacher,
    student,
    temperature: params.temperature,
    softWeight: params.softWeight,
    epochs: params.epochs,
    batchSize: Math.min(params.batchSize, count),
    learningRate: params.learningRate,
    schedule: params.schedule,
    weightDecay: params.weightDecay,
    view: viewOf(params),
    plainEpochs: 0,
    seed,
  };
}
