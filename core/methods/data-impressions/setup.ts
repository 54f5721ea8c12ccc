import { WorkbenchError } from '../../base/errors.ts';
import { fillUniform, permutation, stream } from '../../base/rng.ts';
import type { ImageSet } from '../../data/dataset.ts';
import type { Arm } from '../../train/arms.ts';
import { arraySource } from '../../train/evaluate.ts';
import type { OpenedModel } from '../../train/models.ts';
import { viewOf } from '../common-params.ts';
import type { ParamsOf } from '../define.ts';
import type { Impressions } from './impressions.ts';
import type { spec } from './spec.ts';
import type { SynthesisOptions, SynthesisTeacher } from '../../train/impressions/synthesis.ts';
import type { TargetOptions } from '../../train/impressions/targets.ts';

type Params = ParamsOf<typeof spec>;

/** Pixels of the images that a model takes here. */
export const bounds: readonly [number, number] = [0, 1];

/** The teacher as the synthesis sees it; MODEL_UNSUITABLE when a prior is asked for that the file cannot give. */
export function synthesisTeacher(teacher: OpenedModel, params: Params): SynthesisTeacher {
  const { batchNorms } = teacher.description;
  if (params.batchNormPrior > 0 && batchNorms.length === 0) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `The batch-norm prior needs batch-normalisation layers, but ${teacher.title} has none`,
      { hint: 'They may have been folded into the convolutions on export. Set the batch-norm prior to 0.' },
    );
  }
  const { graph, inputName, logitsName, shape, classes } = teacher;
  return {
    graph,
    inputName,
    logitsName,
    shape,
    classes,
    bounds,
    batchNorms: batchNorms.map(({ inputName: valueName, mean, variance }) => ({ valueName, mean, variance })),
  };
}

export function synthesisOptions(params: Params): SynthesisOptions {
  return {
    batchSize: Math.min(params.synthesisBatchSize, params.count),
    steps: params.steps,
    learningRate: params.synthesisLearningRate,
    schedule: params.synthesisSchedule,
    temperature: params.temperature,
    pixels: params.pixels,
    initial: params.initial,
    initialScale: params.initialScale,
    totalVariation: params.totalVariation,
    sparsity: params.sparsity,
    batchNormPrior: params.batchNormPrior,
    view: {
      rotationDegrees: params.viewRotation,
      scaleMin: params.viewScaleLow,
      scaleMax: params.viewScaleHigh,
      translatePixels: params.viewShift,
    },
    warmStart: params.warmStart,
    seed: params.seed,
  };
}

/** In release mode every scale is 1: the released sampler maps each row to [0, 1] again, which undoes β. */
export const targetOptions = ({ targets, count, scales, scaleMode, seed }: Params): TargetOptions => ({
  kind: targets,
  count,
  scales: scaleMode === 'release' ? scales.map(() => 1) : scales,
  seed,
});

/**
 * Processes of one thread each: as many as are asked for (0: as threads), but no more than there is work for side by
 * side. A GPU is kept busy by one.
 */
export function laneCount(
  { device, threads }: { readonly device: string; readonly threads: number },
  asked: number,
  atOnce: number,
): number {
  if (device !== 'cpu') return 1;
  return Math.min(asked === 0 ? threads : asked, atOnce);
}

export interface ArmInputs {
  readonly params: Params;
  readonly teacher: OpenedModel;
  readonly student: OpenedModel;
  readonly impressions: Impressions;
  readonly real: ImageSet | undefined;
}

/** The student and its controls: same network, same start, same schedule, other images. */
export async function transferArms({ params, teacher, student, impressions, real }: ArmInputs): Promise<Arm[]> {
  const options = {
    teacher,
    student,
    temperature: params.distillTemperature,
    epochs: params.epochs,
    batchSize: Math.min(params.batchSize, params.count),
    learningRate: params.learningRate,
    schedule: params.schedule,
    weightDecay: params.weightDecay,
    view: viewOf(params),
    light: { brightness: params.augmentBrightness, overlay: params.augmentOverlay },
    augmentation: params.augmentation,
    plainEpochs: params.plainEpochs,
    seed: params.seed,
  };
  const { shape } = impressions;
  const arm = (name: string, title: string, images: Float32Array): Arm => ({
    name,
    title,
    selection: 'final',
    set: { source: arraySource(images, shape) },
    options: { ...options, name },
  });
  const arms: Arm[] = [
    {
      ...arm('student', 'Student, from impressions', impressions.images),
      selection: params.selection,
      responses: impressions.logits,
      set: { source: arraySource(impressions.images, shape), ...givenLabels(impressions, params) },
    },
  ];
  const size = shape[0] * shape[1] * shape[2];
  if (params.controlNoise) {
    const noise = new Float32Array(params.count * size);
    fillUniform(stream(params.seed, 'control-noise'), noise, ...bounds);
    arms.push(arm('noise', 'Control: uniform noise', noise));
  }
  if (params.controlReal && real) {
    const taken = permutation(stream(params.seed, 'control-real'), real.count).slice(0, params.count);
    const images = new Float32Array(taken.length * size);
    await real.read(taken, images);
    arms.push(arm('real', 'Control: real images', images));
  }
  return arms;
}

/** Labels that do not follow the augmented view; log-probabilities of a target serve as logits at its temperature. */
function givenLabels({ logits, targets }: Impressions, params: Params): { logits?: Float32Array } {
  if (params.softLabels === 'relabel') return {};
  if (params.softLabels === 'response') return { logits };
  const floor = 1e-12;
  return { logits: targets.targets.map((p) => params.distillTemperature * Math.log(Math.max(p, floor))) };
}
