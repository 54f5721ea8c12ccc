import type { z } from 'zod';
import { stream } from '../../base/rng.ts';
import type { ResultMetrics } from '../../contract/run.ts';
import type { ImageSet } from '../../data/dataset.ts';
import { bootstrapPairedDifference } from '../../metrics/intervals.ts';
import { writeModel } from '../../onnx/write.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import type { Arm, ArmStates } from '../../train/arms.ts';
import { evaluateArms, type Evaluation } from '../../train/evaluate-arms.ts';
import type { OpenedModel } from '../../train/models.ts';
import { forDelivery, withParameters } from '../../train/parameters.ts';
import type { MethodEvent } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import type { BalanceData } from './report.ts';
import { armName } from './setup.ts';
import type { spec } from './spec.ts';

export interface ScoreInputs {
  readonly params: ParamsOf<typeof spec>;
  readonly teacher: OpenedModel;
  readonly test: ImageSet | undefined;
  readonly classNames: readonly string[];
  readonly session: SessionOptions;
  readonly signal: AbortSignal;
  readonly arms: ArmStates;
}

type ArmScore = Evaluation['arms'][number];

/** Gives the students away and scores them on the test set, if there is one. */
export async function* scoreArms(
  inputs: ScoreInputs,
  arms: readonly Arm[],
): AsyncGenerator<MethodEvent, ResultMetrics, void> {
  const { teacher, test, classNames, session, signal, params, arms: states } = inputs;
  for (const { name, title, options } of arms) {
    const kept = states.get(name)?.kept ?? {};
    const bytes = writeModel(forDelivery(withParameters(options.student.model, kept)));
    const content = { bytes, mediaType: 'application/onnx' };
    yield { type: 'artifact', name: `student-${name}.onnx`, title: `${title}, ONNX`, content };
  }
  const heldOut = states.get('balanced')?.agreement ?? -1;
  const own: ResultMetrics = heldOut < 0 ? {} : { heldOutAgreement: heldOut };
  if (!test?.labels) {
    yield {
      type: 'log',
      level: 'warning',
      message: 'No labelled test set was given: the students are not scored on real images.',
    };
    return own;
  }
  const scored = [
    { name: 'teacher', title: 'Teacher', model: teacher },
    ...arms.map(({ name, title, options }) => ({
      name,
      title,
      model: options.student,
      parameters: states.get(name)?.kept ?? {},
    })),
  ];
  const all = await evaluateArms(scored, test, test.labels, classNames, session, signal);
  const scores = new Map(all.arms.map((arm) => [arm.name, arm]));
  // The other repeats are summed up in "balance"; the detailed figures are the first pair's.
  const shown = all.arms.filter(({ name }) => !/^(un)?balanced-\d+$/.test(name));
  const evaluation = { ...all, arms: shown };
  yield { type: 'artifact', name: 'evaluation', title: 'Figures on the test set', content: { json: evaluation } };
  const balance = comparePairs(scores, params);
  yield { type: 'artifact', name: 'balance', title: 'Balanced against unbalanced', content: { json: balance } };
  return { ...own, ...figures(scores, balance) };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Balanced minus unbalanced over pairs of one seed; a bootstrap interval from two pairs on. */
function comparePairs(
  scores: ReadonlyMap<string, ArmScore>,
  { repeats, seed }: ScoreInputs['params'],
): z.infer<typeof BalanceData> {
  const accuracyOf = (name: string): number => scores.get(name)?.accuracy ?? 0;
  const pairs = Array.from({ length: repeats }, (_, repeat) => ({
    seed: seed + repeat,
    balanced: accuracyOf(armName('balanced', repeat)),
    unbalanced: accuracyOf(armName('unbalanced', repeat)),
  }));
  const [balanced, unbalanced] = [pairs.map((pair) => pair.balanced), pairs.map((pair) => pair.unbalanced)];
  const { mean: gain, low, high } = bootstrapPairedDifference(balanced, unbalanced, stream(seed, 'bootstrap'));
  return {
    pairs,
    balanced: mean(balanced),
    unbalanced: mean(unbalanced),
    gain,
    interval: repeats < 2 ? null : [low, high],
  };
}

function figures(scores: ReadonlyMap<string, ArmScore>, balance: z.infer<typeof BalanceData>): ResultMetrics {
  const accuracy = (key: string, name: string): ResultMetrics => {
    const score = scores.get(name);
    return score ? { [key]: score.accuracy } : {};
  };
  const first = scores.get('balanced');
  return {
    balancedAccuracy: balance.balanced,
    unbalancedAccuracy: balance.unbalanced,
    balanceGain: balance.gain,
    ...accuracy('teacherAccuracy', 'teacher'),
    ...accuracy('realAccuracy', 'real'),
    ...accuracy('shuffledAccuracy', 'shuffled'),
    agreement: first?.agreement ?? null,
    calibrationError: first?.calibrationError ?? null,
  };
}
