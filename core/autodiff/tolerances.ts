/** Step lengths of the difference quotients and the error allowed, relative to max(1, |value|), per element type. */
export interface Tolerance {
  /** Step of the central difference of outputs (order 1) and of first-order gradients (order 2). */
  readonly step: number;
  readonly first: number;
  readonly second: number;
  /** Step of the mixed second difference of outputs, whose rounding error grows with 1/step². */
  readonly mixedStep: number;
  readonly mixed: number;
}

export const tolerances: Readonly<Record<'float32' | 'float64', Tolerance>> = {
  float64: { step: 1e-5, first: 1e-7, second: 1e-7, mixedStep: 1e-3, mixed: 2e-4 },
  // Bounded by the rounding of onnxruntime's float32 kernels, 6e-8 of values of order 1 to 10, over the step.
  float32: { step: 1e-2, first: 3e-3, second: 3e-3, mixedStep: 5e-2, mixed: 3e-2 },
};
