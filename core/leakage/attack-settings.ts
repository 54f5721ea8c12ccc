import type { StartKind } from './attack-start.ts';
import type { ObjectiveOptions } from './objective.ts';
import type { RegistrationKind } from './registration.ts';

export const attackOptimisers = ['lbfgs', 'lbfgs-wolfe', 'adam', 'signed-adam', 'soft-signed-adam'] as const;
/**
 * 'lbfgs': PyTorch's, without line search, as DLG and iDLG use it. 'lbfgs-wolfe': the same with a strong-Wolfe line search,
 * which is not what the papers did. 'signed-adam': Adam fed with sign(∇). 'soft-signed-adam': with tanh(s∇)/s, s = 1 − step/steps.
 */
export type AttackOptimiser = (typeof attackOptimisers)[number];

export const rateSchedules = ['constant', 'steps', 'cosine'] as const;
/** 'steps': × 0.1 at 3/8, 5/8 and 7/8 of the run. 'cosine': half a cosine down to 0. Ignored by L-BFGS. */
export type RateSchedule = (typeof rateSchedules)[number];

/** An optimisation attack: objective, optimiser, start, restarts. See attack-presets.ts for the published ones. */
export interface AttackSettings extends ObjectiveOptions {
  readonly optimiser: AttackOptimiser;
  readonly learningRate: number;
  readonly schedule?: RateSchedule;
  /** Linear warm-up; default 0. */
  readonly warmupSteps?: number;
  /** Outer steps of L-BFGS (up to 20 iterations each), or updates of Adam. */
  readonly steps: number;
  /** Ends a restart when the total falls below it; default 0, never. */
  readonly stopBelow?: number;
  /** Steps after which that is looked at; default every one. L-BFGS only. */
  readonly stopEvery?: number;
  readonly start: StartKind;
  /** [C, H, W] in the space of the attack, for the start 'mean'. */
  readonly mean?: Float32Array;
  /** Keeps pixels in [0, 1]; with L-BFGS after each outer step. */
  readonly isBoxed: boolean;
  /** Deviation of normal noise, times the learning rate, that is added to each update (Langevin); default 0. */
  readonly noise?: number;
  readonly restarts: number;
  /** Updates between two looks at the other restarts, for the prior `group`. Default 10. */
  readonly groupEvery?: number;
  /** How the restarts are laid on each other for that prior. Default 'affine'. */
  readonly registration?: RegistrationKind;
  /** What a restart hands over: its iterate of the lowest distance, or its last. */
  readonly keep: 'best' | 'last';
  readonly seed: number;
}
