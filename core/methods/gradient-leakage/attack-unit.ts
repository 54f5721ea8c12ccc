import { float32, sizeOf, type FloatTensor, type Tensor } from '../../base/tensor.ts';
import { adaptedSettings } from '../../leakage/defence-adaptive.ts';
import { gradientNorm, type Defence } from '../../leakage/defence.ts';
import { openAttack, type Attack, type AttackOutcome } from '../../leakage/attack.ts';
import type { PresetId } from '../../leakage/attack-presets.ts';
import { labelOverlap } from '../../leakage/labels.ts';
import type { SharedGradients } from '../../leakage/victim-gradient.ts';
import { toWorkbenchError } from '../../base/errors.ts';
import { clipped, scoreBatch } from '../../leakage/score.ts';
import type { Victim } from '../../leakage/victim.ts';
import { meanSquaredError } from '../../metrics/images.ts';
import { arraySource, createPredictor } from '../../train/evaluate.ts';
import { createChunker } from '../../runtime/chunks.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { batchItems, dummyImages, localTraining, take, victimOf, type Inputs, type Params } from './inputs.ts';
import { weightsOf, type Sharing } from './sharing.ts';
import { attackSettings, labelsForAttack, scaledToNorm, type PublicFigures } from './settings.ts';
import type { UnitResult } from './report-data.ts';

/** One attack on one gradient under one defence. */
export interface Unit {
  /** 'defence.variant.run', all numbers but the variant. */
  readonly id: string;
  readonly defence: Defence;
  readonly defenceIndex: number;
  /** 'plain': as without a defence. 'adapted': by somebody who knows it. */
  readonly variant: 'plain' | 'adapted';
  readonly index: number;
}

/** What a unit needs beside itself; the same for all. */
export interface UnitWork {
  readonly params: Params;
  readonly inputs: Inputs;
  readonly sharing: Sharing;
  readonly figures: PublicFigures | undefined;
  /** In place of a gradient made here. */
  readonly given: SharedGradients | undefined;
  readonly now: () => number;
}

/** Where a unit stands; plain arrays, so that a checkpoint can hold it. */
export interface UnitState {
  readonly attack: ReturnType<Attack['capture']>;
  /** Pictures of the way so far: [C·H·W · batch] each. */
  readonly frames: readonly Frame[];
}

export interface Frame {
  readonly step: number;
  readonly distance: number;
  readonly images: Float32Array<ArrayBuffer>;
}

/** A unit that is done. */
export interface UnitDone {
  readonly result: UnitResult;
  /** [frames, batch, C, H, W], the reconstruction last; in the order of the true images. */
  readonly frames: FloatTensor;
}

export interface UnitProgress {
  readonly unit: Unit;
  readonly step: number;
  readonly totalSteps: number;
  readonly distance: number;
  /** Of the iterate, against the truth; NaN without one. */
  readonly mse: number;
  readonly state: UnitState | undefined;
  readonly done: UnitDone | undefined;
}

/** Steps of all restarts of a unit at most. */
export function unitSteps({ params }: Pick<UnitWork, 'params'>, unit: Unit): number {
  const { optimiser, steps } = adapted(attackSettings(params, presetOf(params), 'joint', 0, undefined), unit);
  return params.restarts * steps * (optimiser.startsWith('lbfgs') ? 20 : 1);
}

export const presetOf = ({ attack }: Params): PresetId => (attack === 'none' ? 'idlg' : attack);

const adapted = (
  settings: ReturnType<typeof attackSettings>,
  { variant, defence }: Unit,
): ReturnType<typeof attackSettings> =>
  variant === 'adapted' ? (adaptedSettings(settings, defence) ?? settings) : settings;

/** Every unit of a run: without defence, then each defence attacked plainly and by somebody who knows it. */
export function unitsOf(params: Params, defences: readonly Defence[]): readonly Unit[] {
  if (params.attack === 'none') return [];
  const base = attackSettings(params, presetOf(params), 'joint', 0, undefined);
  const runs = params.gradientFile === '' ? params.runs : 1;
  return defences.flatMap((defence, defenceIndex) => {
    const knows = params.adaptive && adaptedSettings(base, defence) !== undefined;
    const variants = defence.kind === 'none' || !knows ? (['plain'] as const) : (['plain', 'adapted'] as const);
    return variants.flatMap((variant) =>
      Array.from({ length: runs }, (_, index) => ({
        id: `${defenceIndex}.${variant}.${index}`,
        defence,
        defenceIndex,
        variant,
        index,
      })),
    );
  });
}

/** Runs a unit, from a state when there is one. What is yielded last is done. */
export async function* runUnit(
  unit: Unit,
  work: UnitWork,
  session: SessionOptions,
  from: UnitState | undefined,
): AsyncGenerator<UnitProgress, void, void> {
  const { params, inputs, given, figures } = work;
  const victim = victimOf(inputs.model, params, unit.index);
  const weights = weightsOf(victim);
  const seed = params.seed + 1000 + unit.index;
  const truth = given
    ? undefined
    : take(
        inputs.own,
        batchItems(inputs.own.labels, params.labelChoice, params.batchSize, unit.index, params.seed),
        victim.shape,
      );
  const { shared, loss } = await observe(unit, work, weights, truth);
  const priors = await work.sharing.priors(victim, dummyImages(inputs.publics, victim.shape, 32, params.seed));
  const options = { batchSize: params.batchSize, priors, local: localTraining(params) };
  const labels = labelsForAttack(params, victim, shared, truth?.labels, options);
  const norm = gradientNorm(shared.tensors);
  const base: Base = {
    id: unit.id,
    defence: unit.defenceIndex,
    variant: unit.variant,
    run: unit.index,
    loss,
    norm,
    labelRule: labels.rule,
    labelNotes: labels.notes,
    trueLabels: truth ? [...truth.labels] : null,
  };
  const asked = adapted(attackSettings(params, presetOf(params), labels.labels, seed, figures), unit);
  const settings = scaledToNorm(asked, norm, params);
  let attack: Attack;
  try {
    attack = await openAttack(victim, shared, settings, session, from?.attack);
  } catch (thrown) {
    const error = toWorkbenchError(thrown);
    if (error.code !== 'DATA_UNSUITABLE') throw thrown;
    // The gradient vanished under the defence, or by itself: a failure to be counted, not the end of the audit.
    yield {
      unit,
      step: 1,
      totalSteps: 1,
      distance: Number.NaN,
      mse: Number.NaN,
      state: undefined,
      done: vanished(error.message, base, truth, victim.shape),
    };
    return;
  }
  const frames = [...(from?.frames ?? [])];
  const every = Math.max(1, Math.floor((settings.steps * settings.restarts) / (params.history - 1)));
  const chunker = createChunker({ targetMs: 400, most: every });
  try {
    for (;;) {
      const { step, totalSteps, distance, images } = attack.progress;
      if (Math.floor(step / every) >= frames.length && frames.length < params.history - 1) {
        frames.push({ step, distance, images: images.data.slice() });
      }
      const { outcome } = attack;
      const mse = truth ? meanMse(truth.images, images, victim.shape) : Number.NaN;
      const finished = outcome && finish(outcome, frames, base, truth, victim.shape);
      const done = finished && truth ? await withFeatures(finished, victim, truth, session) : finished;
      yield {
        unit,
        step,
        totalSteps,
        distance,
        mse,
        state: done ? undefined : { attack: attack.capture(), frames: [...frames] },
        done,
      };
      if (done) return;
      const startedAt = work.now();
      const most = chunker.next(every - (step % every));
      await attack.advance(most);
      chunker.done(most, work.now() - startedAt);
    }
  } finally {
    await attack.close();
  }
}

type Truth = ReturnType<typeof take>;
/** What is known of a unit before its attack. */
type Base = Pick<
  UnitResult,
  'id' | 'defence' | 'variant' | 'run' | 'loss' | 'norm' | 'labelRule' | 'labelNotes' | 'trueLabels'
>;

async function observe(
  { defence, index }: Unit,
  { sharing, given, params }: UnitWork,
  weights: ReturnType<typeof weightsOf>,
  truth: Truth | undefined,
): Promise<{ shared: SharedGradients; loss: number | null }> {
  if (given || !truth) return { shared: given ?? { kind: 'gradient', tensors: {} }, loss: null };
  return sharing.shareDefended(truth.images, truth.labels, weights, defence, params.seed, index);
}

function meanMse(truth: FloatTensor, images: FloatTensor, shape: readonly [number, number, number]): number {
  const scores = scoreBatch(truth.data, images.data, shape);
  return scores.reduce((sum, { mse }) => sum + mse, 0) / scores.length;
}

function finish(
  outcome: AttackOutcome,
  frames: readonly Frame[],
  base: Base,
  truth: Truth | undefined,
  shape: readonly [number, number, number],
): UnitDone {
  const { images, labels, distance, evaluations, restarts } = outcome;
  const isFinite = images.data.every(Number.isFinite) && Number.isFinite(distance);
  const steps = restarts.reduce((sum, each) => sum + each.steps, 0);
  const all = [...frames, { step: steps, distance, images: images.data }];
  const scores = truth ? scoreBatch(truth.images.data, images.data, shape) : [];
  const order = scores.map(({ reconstruction }) => reconstruction);
  const size = sizeOf(shape);
  const batch = images.data.length / size;
  const sorted = new Float32Array(all.length * images.data.length);
  all.forEach((frame, f) => {
    for (let k = 0; k < batch; k++) {
      const source = order[k] ?? k;
      sorted.set(frame.images.subarray(source * size, (source + 1) * size), (f * batch + k) * size);
    }
  });
  return {
    result: {
      ...base,
      labels: [...labels],
      labelOverlap: truth ? labelOverlap(labels, truth.labels) : null,
      distance: finiteOrNull(distance),
      evaluations,
      steps,
      ends: restarts.map(({ end }) => end),
      failure: isFinite ? null : 'no finite iterate',
      images: scores.map(({ mse, unclippedMse, psnrDb, ssim }) => ({
        mse: isFinite ? mse : null,
        unclippedMse: finiteOrNull(unclippedMse),
        psnrDb,
        ssim,
      })),
      frames: all.map(({ step, distance: reached }) => ({ step, distance: finiteOrNull(reached) })),
    },
    frames: float32([all.length, ...images.dims], sorted),
  };
}

/** Adds how far the victim's logits of each reconstruction, clipped, are from those of the true image. */
async function withFeatures(
  done: UnitDone,
  { graph, shape, classes }: Victim,
  truth: Truth,
  session: SessionOptions,
): Promise<UnitDone> {
  const found = clipped(done.frames.data.subarray(done.frames.data.length - truth.images.data.length));
  const predictor = await createPredictor({ graph, shape, batchSize: truth.labels.length, session });
  try {
    const own = await predictor.predict(arraySource(truth.images.data, shape));
    const other = await predictor.predict(arraySource(found, shape));
    const row = (logits: Float32Array, k: number): Float32Array => logits.subarray(k * classes, (k + 1) * classes);
    const images = done.result.images.map((image, k) => ({
      ...image,
      featureMse: finiteOrNull(meanSquaredError(row(own, k), row(other, k))),
    }));
    return { ...done, result: { ...done.result, images } };
  } finally {
    await predictor.close();
  }
}

function vanished(
  message: string,
  base: Base,
  truth: Truth | undefined,
  shape: readonly [number, number, number],
): UnitDone {
  const batch = truth?.labels.length ?? 1;
  return {
    result: {
      ...base,
      labels: [],
      labelOverlap: truth ? 0 : null,
      distance: null,
      evaluations: 0,
      steps: 0,
      ends: [],
      failure: message,
      images: Array.from({ length: truth ? batch : 0 }, () => ({ mse: null, unclippedMse: null, psnrDb: 0, ssim: 0 })),
      frames: [{ step: 0, distance: null }],
    },
    frames: float32([1, batch, ...shape], new Float32Array(batch * sizeOf(shape))),
  };
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Tensors of a state, for a checkpoint, with the numbers that go with them. */
export function packState({ attack, frames }: UnitState): { json: PackedState; tensors: Record<string, Tensor> } {
  const tensors: Record<string, Tensor> = {};
  attack.forEach(({ tensors: own }, restart) => {
    for (const [name, value] of Object.entries(own)) tensors[`${restart}/${name}`] = value;
  });
  frames.forEach(({ images }, i) => (tensors[`frame/${i}`] = float32([images.length], images)));
  return {
    json: {
      restarts: attack.map(({ numbers }) =>
        Object.fromEntries(
          Object.entries(numbers).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
        ),
      ),
      frames: frames.map(({ step, distance }) => ({ step, distance: finiteOrNull(distance) })),
    },
    tensors,
  };
}

export interface PackedState {
  /** null: not a number. */
  readonly restarts: readonly Readonly<Record<string, number | null>>[];
  readonly frames: readonly { readonly step: number; readonly distance: number | null }[];
}

export function unpackState({ restarts, frames }: PackedState, tensors: Readonly<Record<string, Tensor>>): UnitState {
  const below = (prefix: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([key, value]) =>
        key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
      ),
    );
  return {
    attack: restarts.map((numbers, i) => ({
      numbers: Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, value ?? Number.NaN])),
      tensors: below(`${i}/`),
    })),
    frames: frames.map(({ step, distance }, i) => {
      const data = tensors[`frame/${i}`]?.data;
      return {
        step,
        distance: distance ?? Number.NaN,
        images: data instanceof Float32Array ? data : new Float32Array(0),
      };
    }),
  };
}
