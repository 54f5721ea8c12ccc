import { invariant, WorkbenchError } from '../base/errors.ts';
import { floatsOf, type Tensor } from '../base/tensor.ts';
import { compileLoop } from '../runtime/loop.ts';
import type { SessionOptions, Tensors } from '../runtime/session.ts';
import type { Schedule } from './schedules.ts';
import { describeTrainingStep, type TrainingStepOptions } from './training-step.ts';

export interface TrainingLoopOptions extends TrainingStepOptions {
  /** Shown in errors. */
  readonly name?: string;
  readonly schedule: Schedule;
  /** Of the dropout masks. */
  readonly seed: number;
  readonly session: SessionOptions;
}

/** Everything that the next step depends on; plain tensors, so that a checkpoint can hold it. */
export interface TrainingSnapshot {
  /** Steps done. */
  readonly step: number;
  readonly tensors: Tensors;
}

export interface ChunkFeeds {
  /** [count, …] each. */
  readonly steps: Tensors;
  readonly shared?: Tensors;
}

/** A student in training. Results do not depend on how the steps are cut into chunks. */
export interface TrainingLoop {
  /** Steps done. */
  readonly step: number;
  /**
   * Runs `count` steps as one graph and returns what each recorded, [count] by name; 'loss' is always among them.
   * A loss that is NaN or infinite is NUMERIC_DIVERGED, and the state stays as it was before the chunk.
   */
  run(count: number, feeds: ChunkFeeds): Promise<Readonly<Record<string, Float32Array<ArrayBuffer>>>>;
  snapshot(): TrainingSnapshot;
  /** Goes on from a snapshot of the same kind of loop; CHECKPOINT_STALE when it does not fit. */
  restore(snapshot: TrainingSnapshot): void;
  /** Trained weights and running statistics by initialiser name, for `withParameters`. */
  parameters(): Record<string, Tensor>;
  close(): Promise<void>;
}

export async function createTrainingLoop(options: TrainingLoopOptions): Promise<TrainingLoop> {
  const { name = options.graph.name, schedule, seed, session } = options;
  const description = describeTrainingStep(options);
  const loop = await compileLoop(
    `training of ${name}`,
    description.types,
    (g, values) => description.body(g, values),
    session,
  );
  let step = 0;
  let state: Tensors = description.initialState;
  let lastLoss: number | undefined;
  return {
    get step() {
      return step;
    },
    async run(count, feeds) {
      const own = description.feeds(step, count, seed, schedule);
      const result = await loop.run({
        count,
        state,
        steps: { ...feeds.steps, ...own },
        shared: feeds.shared ?? {},
      });
      const trace = Object.fromEntries(
        Object.entries(result.trace).map(([key, value]) => [key, floatsOf(value, `trace ${key}`)]),
      );
      const losses = trace['loss'];
      invariant(losses?.length === count, 'one loss for each step');
      const bad = losses.findIndex((loss) => !Number.isFinite(loss));
      if (bad >= 0) throw diverged(name, step + bad, bad > 0 ? losses[bad - 1] : lastLoss);
      state = { ...state, ...result.state };
      step += count;
      lastLoss = losses.at(-1) ?? lastLoss;
      return trace;
    },
    snapshot: () => ({ step, tensors: state }),
    restore(snapshot) {
      for (const [key, old] of Object.entries(state)) {
        const tensor = snapshot.tensors[key];
        if (tensor?.dtype === old.dtype && tensor.dims.join() === old.dims.join()) continue;
        throw new WorkbenchError(
          'CHECKPOINT_STALE',
          `The checkpoint does not fit the training of ${name}: expected "${key}" to be ${old.dtype}[${old.dims.join(', ')}], got ${tensor ? `${tensor.dtype}[${tensor.dims.join(', ')}]` : 'nothing'}`,
          { hint: 'Start the run again.' },
        );
      }
      state = Object.fromEntries(
        Object.keys(state).flatMap((key) => {
          const tensor = snapshot.tensors[key];
          return tensor ? [[key, tensor]] : [];
        }),
      );
      ({ step } = snapshot);
      lastLoss = undefined;
    },
    parameters() {
      return Object.fromEntries(
        description.parameterNames.map((parameter) => {
          const tensor = state[`student.${parameter}`];
          invariant(tensor, `the state holds ${parameter}`);
          if (tensor.data instanceof Float32Array && !tensor.data.every(Number.isFinite)) {
            throw diverged(name, step, lastLoss, parameter);
          }
          return [parameter, tensor];
        }),
      );
    },
    close: () => loop.close(),
  };
}

function diverged(name: string, step: number, last: number | undefined, parameter?: string): WorkbenchError {
  const what = parameter === undefined ? 'The loss' : `Parameter ${parameter}`;
  const before = last === undefined ? 'no finite loss before it' : `last finite loss ${last}`;
  return new WorkbenchError(
    'NUMERIC_DIVERGED',
    `${what} of ${name} is no longer a finite number at step ${step} (${before})`,
    {
      hint: 'Lower the learning rate, or check the data and the model for NaN.',
      details: { step, lastFinite: last ?? null },
    },
  );
}
