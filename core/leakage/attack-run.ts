import type { Tensor } from '../base/tensor.ts';

/**
 * How a restart ended. 'converged': below the threshold. 'finished': all steps made. 'stalled': the optimiser cannot move any
 * more, and later steps would not either. 'diverged': not-a-number or infinity; the best iterate before that is kept.
 */
export const runEnds = ['converged', 'finished', 'stalled', 'diverged'] as const;
export type RunEnd = (typeof runEnds)[number];

/** Where a restart stands. */
export interface RunProgress {
  readonly step: number;
  /** Of the current iterate: between the gradients alone, and with scale and priors. */
  readonly distance: number;
  readonly total: number;
  readonly evaluations: number;
  readonly end: RunEnd | undefined;
  /** [N, C, H, W] in the space of the attack. */
  readonly pixels: Float32Array<ArrayBuffer>;
  /** [N, K]; undefined when labels are known. */
  readonly labelLogits: Float32Array<ArrayBuffer> | undefined;
  readonly best: RunBest | undefined;
}

/** The iterate of the lowest distance so far. */
export interface RunBest {
  readonly distance: number;
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly labelLogits: Float32Array<ArrayBuffer> | undefined;
}

/** Everything that a restart needs to go on as if it had never stopped. */
export interface RunState {
  readonly numbers: Readonly<Record<string, number>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** One restart. */
export interface AttackRun {
  readonly progress: RunProgress;
  /** An outer step of L-BFGS, or a chunk of at most `most` updates. */
  advance(most: number): Promise<void>;
  capture(): RunState;
}
