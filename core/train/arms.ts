import type { Tensor } from '../base/tensor.ts';
import { stream, permutation } from '../base/rng.ts';
import { agreement, argmaxRows } from '../metrics/classification.ts';
import { pool } from '../runtime/pool.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { distill, distillSteps, type DistillOptions, type DistillProgress, type TransferSet } from './distillation.ts';
import { createPredictor, type ImageSource } from './evaluate.ts';
import { withParameters } from './parameters.ts';
import type { TrainingSnapshot } from './training-loop.ts';

/** One student of a comparison. Arms differ in what they learn from. */
export interface Arm {
  readonly name: string;
  readonly title: string;
  readonly set: TransferSet;
  readonly options: Omit<DistillOptions, 'session'>;
  /** Keep the student that agrees best with the teacher on images held out of the set, looked at after each epoch. */
  readonly selection: 'final' | 'agreement';
  /** Teacher logits of the set's plain images [count, K]; needed for selection by agreement. */
  readonly responses?: Float32Array;
}

export interface ArmState {
  readonly snapshot: TrainingSnapshot;
  readonly isDone: boolean;
  /** Weights of the student that is kept so far. */
  readonly kept: Readonly<Record<string, Tensor>>;
  /** Agreement of the kept student on the held-out images; −1 before the first look. */
  readonly agreement: number;
}

export type ArmStates = Map<string, ArmState>;

export interface ArmProgress {
  readonly arm: Arm;
  readonly firstStep: number;
  readonly losses: Float32Array;
  readonly isDone: boolean;
}

/** Share of the set that selection by agreement holds out. */
const HELD_OUT = 0.1;

/** Images of an arm's set that are held out of its training. */
const heldOutCount = ({ set, selection, responses }: Arm): number =>
  selection === 'final' || !responses ? 0 : Math.max(1, Math.floor(set.source.count * HELD_OUT));

/** Steps of an arm over its whole run. */
export const armSteps = (arm: Arm): number =>
  distillSteps(arm.set.source.count - heldOutCount(arm), arm.options.epochs, arm.options.batchSize);

/**
 * Trains all arms, several side by side. `states` holds exactly what has been yielded: a checkpoint taken between two
 * yields never knows of a step whose loss nobody has heard of.
 */
export async function* trainArms(
  arms: readonly Arm[],
  sessions: readonly SessionOptions[],
  states: ArmStates,
  now: () => number,
): AsyncGenerator<ArmProgress, void, void> {
  const left = arms.filter((arm) => states.get(arm.name)?.isDone !== true);
  const training = pool(sessions, left, (arm, session) => trainArm(arm, session, states.get(arm.name), now));
  for await (const { state, ...progress } of training) {
    states.set(progress.arm.name, state);
    yield progress;
  }
}

async function* trainArm(
  arm: Arm,
  session: SessionOptions,
  before: ArmState | undefined,
  now: () => number,
): AsyncGenerator<ArmProgress & { readonly state: ArmState }, void, void> {
  const { train, heldOut } = splitSet(arm);
  const stepsAnEpoch = Math.ceil(train.source.count / arm.options.batchSize);
  let best = { agreement: before?.agreement ?? -1, kept: before?.kept };
  const options = { ...arm.options, session, ...(heldOut ? { stopEvery: stepsAnEpoch } : {}) };
  for await (const progress of distill(options, train, before?.snapshot, now)) {
    const isDone = progress.step === progress.totalSteps;
    const looks = heldOut && (progress.step % stepsAnEpoch === 0 || isDone);
    if (looks) {
      const found = await agreementOn(heldOut, arm, progress, session);
      if (found > best.agreement) best = { agreement: found, kept: progress.parameters() };
    }
    const kept = heldOut ? (best.kept ?? {}) : progress.parameters();
    yield {
      arm,
      firstStep: progress.step - progress.losses.length,
      losses: progress.losses,
      isDone,
      state: { snapshot: progress.snapshot, isDone, kept, agreement: best.agreement },
    };
  }
}

interface HeldOut {
  readonly source: ImageSource;
  /** Teacher's answers, one a held-out image. */
  readonly answers: Int32Array;
}

function splitSet(arm: Arm): { train: TransferSet; heldOut?: HeldOut } {
  const { set, responses, options } = arm;
  const cut = heldOutCount(arm);
  if (cut === 0 || !responses) return { train: set };
  const order = permutation(stream(options.seed, `${options.name}.held-out`), set.source.count);
  const [held, kept] = [order.slice(0, cut), order.slice(cut)];
  const classes = options.student.classes;
  const rows = (values: Float32Array, indices: Int32Array, width: number): Float32Array<ArrayBuffer> => {
    const out = new Float32Array(indices.length * width);
    indices.forEach((index, i) => out.set(values.subarray(index * width, (index + 1) * width), i * width));
    return out;
  };
  return {
    train: {
      source: subset(set.source, kept),
      ...(set.logits ? { logits: rows(set.logits, kept, classes) } : {}),
      ...(set.weights ? { weights: rows(set.weights, kept, 1) } : {}),
    },
    heldOut: { source: subset(set.source, held), answers: argmaxRows(rows(responses, held, classes), classes) },
  };
}

const subset = (source: ImageSource, indices: Int32Array): ImageSource => ({
  count: indices.length,
  shape: source.shape,
  read: (wanted, out) =>
    source.read(
      Int32Array.from(wanted, (i) => indices[i] ?? 0),
      out,
    ),
});

async function agreementOn(
  heldOut: HeldOut,
  arm: Arm,
  progress: DistillProgress,
  session: SessionOptions,
): Promise<number> {
  const { student } = arm.options;
  const { graph } = withParameters({ ...student.model, graph: student.graph }, progress.parameters());
  const predictor = await createPredictor({ graph, shape: student.shape, session });
  try {
    return agreement(argmaxRows(await predictor.predict(heldOut.source), student.classes), heldOut.answers);
  } finally {
    await predictor.close();
  }
}

export interface StoredArm {
  readonly name: string;
  readonly step: number;
  readonly isDone: boolean;
  readonly agreement: number;
}

/** `states` as what a checkpoint stores. */
export function armsCheckpoint(states: ArmStates): { json: StoredArm[]; tensors: Record<string, Tensor> } {
  const json: StoredArm[] = [];
  const tensors: Record<string, Tensor> = {};
  for (const [name, { snapshot, isDone, kept, agreement: found }] of states) {
    json.push({ name, step: snapshot.step, isDone, agreement: found });
    for (const [key, value] of Object.entries(snapshot.tensors)) tensors[`arm/${name}/state/${key}`] = value;
    for (const [key, value] of Object.entries(kept)) tensors[`arm/${name}/kept/${key}`] = value;
  }
  return { json, tensors };
}

/** The inverse of `armsCheckpoint`. */
export function restoreArms(stored: readonly StoredArm[], tensors: Readonly<Record<string, Tensor>>): ArmStates {
  const under = (prefix: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), value]),
    );
  return new Map(
    stored.map(({ name, step, isDone, agreement: found }) => [
      name,
      {
        snapshot: { step, tensors: under(`arm/${name}/state/`) },
        isDone,
        kept: under(`arm/${name}/kept/`),
        agreement: found,
      },
    ]),
  );
}
