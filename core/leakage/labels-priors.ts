import { WorkbenchError } from '../base/errors.ts';
import type { LabelEvidence, MeasuredImpact } from './labels.ts';

type Gradient = Pick<LabelEvidence, 'weightGradient' | 'biasGradient' | 'classes'>;

export interface LabelPriors {
  readonly measured: MeasuredImpact;
  /** Mean softmax over the inputs [K]; undefined for a layer without bias. */
  readonly meanProbabilities: Float64Array<ArrayBuffer> | undefined;
}

/**
 * What an attacker who holds the network measures on inputs of his own: the gradients of one batch of them, labelled 0
 * throughout and then 1 throughout. Away from the label, ∂b_i is the mean softmax and ∂W_i the mean of p_i a.
 */
export function labelPriors(labelled0: Gradient, labelled1: Gradient): LabelPriors {
  const { classes } = labelled0;
  if (classes < 2 || labelled1.weightGradient.length !== labelled0.weightGradient.length) {
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      'Label priors: expected two gradients of one layer with several classes',
    );
  }
  const away = (i: number): Gradient => (i === 0 ? labelled1 : labelled0);
  const size = labelled0.weightGradient.length / classes;
  const rowSum = ({ weightGradient }: Gradient, i: number): number => {
    let sum = 0;
    for (let f = 0; f < size; f++) sum += weightGradient[i * size + f]!;
    return sum;
  };
  const offset = Float64Array.from({ length: classes }, (_, i) => rowSum(away(i), i));
  const { biasGradient } = labelled0;
  return {
    measured: { offset, impact: rowSum(labelled0, 0) - offset[0]! },
    meanProbabilities: biasGradient && Float64Array.from(biasGradient, (_, i) => away(i).biasGradient?.[i] ?? 0),
  };
}
