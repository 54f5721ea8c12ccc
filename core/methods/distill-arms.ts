import { untilAborted } from '../runtime/until-aborted.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { armSteps, trainArms, type Arm, type ArmStates } from '../train/arms.ts';
import type { CheckpointState } from './context.ts';
import { stopIfAborted, type Events } from './events.ts';

/** Steps that the arms have made so far. */
const armsDone = (states: ArmStates): number =>
  [...states.values()].reduce((sum, { snapshot }) => sum + snapshot.step, 0);

interface Distillation {
  readonly arms: readonly Arm[];
  /** Filled as the arms go on. */
  readonly states: ArmStates;
  readonly sessions: readonly SessionOptions[];
  /** Share of the whole run that is behind when the distillation begins and when it ends, 0 to 1. */
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** The state of the run; `step` counts over all arms. */
  readonly capture: (phase: string, step: number) => CheckpointState;
}

const phase = 'distillation';

/** Trains students side by side; says each one's loss by step as `loss.NAME`. */
export async function* distillArms(work: Distillation): Events<void> {
  const { arms, states, sessions, from, to, signal, now, capture } = work;
  const totalSteps = arms.reduce((sum, arm) => sum + armSteps(arm), 0);
  for await (const { arm, firstStep, losses } of untilAborted(trainArms(arms, sessions, states, now), signal)) {
    const step = armsDone(states);
    for (const [i, value] of losses.entries()) {
      yield { type: 'metric', name: `loss.${arm.name}`, step: firstStep + i, value };
    }
    yield { type: 'progress', phase, step, totalSteps, fraction: from + ((to - from) * step) / totalSteps };
    yield { type: 'checkpoint', capture: () => capture(phase, step) };
    signal.throwIfAborted();
  }
  yield* stopIfAborted(signal, () => capture(phase, armsDone(states)));
}
