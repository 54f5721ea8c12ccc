import { WorkbenchError } from '../../base/errors.ts';
import { readNamedTensors } from '../../data/named-tensors.ts';
import { batchEvidence, type BatchEvidence } from '../../leakage/batch-evidence.ts';
import { gradientNorm } from '../../leakage/defence.ts';
import { labelEvidence } from '../../leakage/labels-evidence.ts';
import type { SharedGradients } from '../../leakage/victim-gradient.ts';
import { matchShared, refuseVanished } from '../../leakage/victim-match.ts';
import type { Victim } from '../../leakage/victim.ts';
import { dummyImages, localTraining, type Inputs, type Params } from './inputs.ts';
import type { GradientFileData } from './report-data.ts';
import { labelsForAttack } from './settings.ts';
import type { Sharing } from './sharing.ts';

export interface GivenGradient {
  readonly shared: SharedGradients;
  /** As told, or as counted where that was asked for. */
  readonly batchSize: number;
  readonly facts: GradientFileData;
}

/** Of bfloat16; that of float16 is finer. */
const halfPrecision = 2 ** -8;

/**
 * The gradient that a run was given as a file, and what it says by itself: how many images, which labels, whether the loss can
 * be the cross-entropy. undefined where there is none.
 * @throws DATA_UNREADABLE; DATA_UNSUITABLE with every reason, when it vanished, or when there must be more images than told
 */
export async function openGivenGradient(
  victim: Victim,
  params: Params,
  sharing: Sharing,
  { publics, classNames }: Inputs,
): Promise<GivenGradient | undefined> {
  if (params.gradientFile === '') {
    if (!params.estimateBatchSize) return undefined;
    throw new WorkbenchError('PARAM_INVALID', 'A batch size is counted from a gradient of a file, and there is none', {
      hint: 'Name one with --gradient-file, or leave --estimate-batch-size out.',
    });
  }
  const { name, sha256, tensors, halves } = await readNamedTensors(params.gradientFile);
  const local = localTraining(params);
  const shared = matchShared(victim, local ? 'update' : 'gradient', tensors);
  refuseVanished(shared);
  const priors = await sharing.priors(victim, dummyImages(publics, victim.shape, 32, params.seed));
  const evidence = batchEvidence(
    victim,
    shared,
    victim.head && labelEvidence(victim, shared, { batchSize: 1, priors, local }),
    halves.length > 0 ? halfPrecision : undefined,
  );
  const batchSize = batchSizeOf(params, name, evidence);
  const options = { batchSize, priors, local };
  const labels = labelsForAttack(
    { ...params, batchSize, attack: 'idlg', labelSource: 'attack' },
    victim,
    shared,
    undefined,
    options,
  );
  return {
    shared,
    batchSize,
    facts: {
      name,
      sha256,
      norm: gradientNorm(shared.tensors),
      halves: halves.length,
      least: evidence.least,
      estimate: evidence.estimate ?? null,
      batchSize,
      isCounted: params.estimateBatchSize,
      notes: [...evidence.notes],
      warnings: [
        ...evidence.warnings,
        ...(evidence.estimate === undefined || evidence.estimate === batchSize
          ? []
          : [`The gradient looks like that of ${evidence.estimate} images, not of ${batchSize}.`]),
      ],
      labelRule: labels.rule,
      labels: labels.labels === 'joint' ? null : labels.labels.map((label) => classNames[label] ?? String(label)),
      labelNotes: [...labels.notes],
    },
  };
}

function batchSizeOf({ estimateBatchSize, batchSize }: Params, name: string, evidence: BatchEvidence): number {
  const { least, estimate, notes } = evidence;
  const why = notes.join(' ');
  if (estimateBatchSize) {
    if (estimate !== undefined) return estimate;
    throw new WorkbenchError(
      'DATA_UNSUITABLE',
      `How many images are behind ${name} cannot be told: at least ${least}. ${why}`,
      { hint: 'Give their number with --batch-size; try several where it is not known.' },
    );
  }
  if (batchSize >= least) return batchSize;
  throw new WorkbenchError(
    'DATA_UNSUITABLE',
    `${name} is the gradient of at least ${least} images, expected a batch of ${batchSize}. ${why}`,
    {
      hint:
        estimate === undefined
          ? 'Give their number with --batch-size.'
          : `It looks like ${estimate}: give --batch-size ${estimate}, or --estimate-batch-size.`,
    },
  );
}

/** What is said of it in the log. */
export function gradientFileLines({ facts }: GivenGradient): readonly string[] {
  const { name, sha256, halves, notes, batchSize, isCounted, labels, labelRule, labelNotes } = facts;
  return [
    `Gradient of ${name}, SHA-256 ${sha256}.`,
    ...(halves > 0 ? [`It holds ${halves} tensors in half precision: recovery is as exact as that.`] : []),
    ...notes,
    `Batch of ${batchSize}, ${isCounted ? 'counted from the gradient' : 'as told'}.`,
    labels === null
      ? `No rule tells the labels. ${labelNotes.join(' ')}`
      : `Labels by ${labelRule}: ${labels.join(', ')}. ${labelNotes.join(' ')}`,
  ].map((line) => line.trim());
}
