import { accuracy, agreement, argmaxRows, confusionMatrix, perClassRecall } from './classification.ts';
import { wilsonInterval } from './intervals.ts';
import { expectedCalibrationError, softmaxRows } from './probabilities.ts';

/** One network on a labelled test set; the report's evaluation data holds several. Fractions. */
export interface ArmEvaluation {
  readonly name: string;
  readonly title: string;
  readonly accuracy: number;
  /** Wilson, 95 %. */
  readonly interval: [number, number];
  /** Same top-1 class as the teacher; null without one. */
  readonly agreement: number | null;
  readonly calibrationError: number;
  /** By class; null for a class without items. */
  readonly recall: (number | null)[];
  /** Rows true, columns predicted. */
  readonly confusion: number[][];
}

/** Everything the report says of `logits` [N, K] against `labels` [N]. */
export function evaluateArm(
  arm: { readonly name: string; readonly title: string },
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  teacherLogits?: Float32Array,
): ArmEvaluation {
  const predictions = argmaxRows(logits, classes);
  const share = accuracy(predictions, labels);
  const { low, high } = wilsonInterval(Math.round(share * labels.length), labels.length);
  const counts = confusionMatrix(predictions, labels, classes);
  return {
    ...arm,
    accuracy: share,
    interval: [low, high],
    agreement: teacherLogits ? agreement(predictions, argmaxRows(teacherLogits, classes)) : null,
    calibrationError: expectedCalibrationError(softmaxRows(logits, classes), labels, classes).error,
    recall: Array.from(perClassRecall(predictions, labels, classes), (value) => (Number.isNaN(value) ? null : value)),
    confusion: Array.from({ length: classes }, (_, k) => Array.from(counts.subarray(k * classes, (k + 1) * classes))),
  };
}
