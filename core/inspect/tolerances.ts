/** Largest relative L2 error that is let pass. */
export interface Tolerances {
  /** Of logits and loss. */
  readonly logits: number;
  readonly dx: number;
  readonly dp: number;
  readonly d2x: number;
}

export const defaultTolerances: Tolerances = { logits: 1e-5, dx: 1e-4, dp: 1e-4, d2x: 2e-3 };
