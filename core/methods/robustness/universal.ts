import { stream } from '../../base/rng.ts';
import { dataFreePerturbation } from '../../attacks/universal/data-free.ts';
import { perturbationOverImages } from '../../attacks/universal/over-images.ts';
import { universalPerturbation } from '../../attacks/universal/uap.ts';
import { signNoise, type UniversalRun } from '../../attacks/universal/universal.ts';
import type { Victim } from '../../attacks/victim.ts';
import { shapeKinds, syntheticImage } from '../../data/synthetic.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import type { SynthesisOptions } from '../../train/impressions/synthesis.ts';
import { emptyProgress, synthesize } from '../../train/impressions/synthesize.ts';
import { classSimilarity, noSimilarity, sampleTargets } from '../../train/impressions/targets.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { ParamsOf } from '../define.ts';
import type { spec } from './spec.ts';

type Kind = ParamsOf<typeof spec>['universal'][number];

export interface UniversalPlan {
  readonly epsilon: number;
  readonly seed: number;
  /** Real images beyond the audited ones [N, C, H, W]; empty when there are none. */
  readonly images: Float32Array;
  /** How many impressions. */
  readonly count: number;
  readonly steps: number;
  readonly model: OpenedModel;
  readonly session: SessionOptions;
  readonly now: () => number;
}

export const universalTitles: Readonly<Record<Kind, string>> = {
  uap: 'UAP (Moosavi-Dezfooli)',
  sgd: 'UAP by gradient steps (ours)',
  fff: 'Fast Feature Fool, without data',
  'gd-uap': 'GD-UAP, without data',
  'gd-uap-range': 'GD-UAP, range prior',
  impressions: 'UAP from data impressions',
  noise: 'Control: random signs',
};

export const needsImages = (kind: Kind): boolean => kind === 'uap' || kind === 'sgd';

/** One perturbation of all images; impressions are made first where they are what it is made from. */
export async function* makeUniversal(kind: Kind, victim: Victim, plan: UniversalPlan): UniversalRun {
  const { epsilon, seed, images } = plan;
  switch (kind) {
    case 'uap':
      return yield* universalPerturbation(victim, images, { epsilon, seed });
    case 'sgd':
      return yield* perturbationOverImages(victim, images, { epsilon, seed });
    case 'impressions': {
      const made = yield* impressionsOf(victim, plan);
      const steps = perturbationOverImages(victim, brightened(made, victim, seed), { epsilon, seed });
      for (;;) {
        const step = await steps.next();
        if (step.done) return step.value;
        const { done, total } = step.value;
        yield { done: total * synthesisShare + (1 - synthesisShare) * done, total };
      }
    }
    case 'fff':
    case 'gd-uap':
    case 'gd-uap-range': {
      const loss = kind === 'fff' ? 'fff' : 'gd-uap';
      const range = kind === 'gd-uap-range' ? rangeOf(images, victim.bounds) : undefined;
      return yield* dataFreePerturbation(victim, {
        epsilon,
        seed,
        loss,
        steps: plan.steps,
        range,
        validation: drawings(victim, seed),
      });
    }
    case 'noise':
      return signNoise(victim.size, epsilon, seed);
  }
}

/** Mean and deviation of the images; without any, of a broad guess over the box. */
function rangeOf(images: Float32Array, [low, high]: readonly [number, number]): { mean: number; deviation: number } {
  if (images.length === 0) return { mean: (low + high) / 2, deviation: (high - low) / 4 };
  const mean = images.reduce((sum, value) => sum + value, 0) / images.length;
  const squares = images.reduce((sum, value) => sum + (value - mean) ** 2, 0) / images.length;
  return { mean, deviation: Math.sqrt(squares) };
}

/** Drawings by which a perturbation made without data is chosen. [128, C, H, W] */
function drawings({ model, size, bounds: [low, high] }: Victim, seed: number): Float32Array {
  const images = new Float32Array(128 * size);
  const kinds = shapeKinds;
  for (let i = 0; i < 128; i++) {
    const image = images.subarray(i * size, (i + 1) * size);
    syntheticImage(
      kinds[i % kinds.length] ?? 'mixed-shapes',
      stream(seed, 'universal', 'drawing', i),
      image,
      model.shape,
    );
  }
  return images.map((value) => low + (high - low) * value);
}

/** Impressions come out darker than images do: each is taken as it is and once brightened by up to 2.7. [2N, C, H, W] */
function brightened(
  images: Float32Array,
  { size, bounds: [low, high] }: Victim,
  seed: number,
): Float32Array<ArrayBuffer> {
  const both = new Float32Array(2 * images.length);
  both.set(images);
  for (let i = 0; i < images.length / size; i++) {
    const factor = 1 + 1.7 * stream(seed, 'universal', 'brightness', i).uniform();
    for (let p = i * size; p < (i + 1) * size; p++) {
      both[images.length + p] = Math.min(high, low + (images[p]! - low) * factor);
    }
  }
  return both;
}

/** Of the time that a perturbation from impressions takes. */
const synthesisShare = 0.8;

/** What made good impressions of small grey and colour models: the defaults of the method that studies them. */
const synthesis = {
  steps: 150,
  learningRate: 0.05,
  schedule: 'constant',
  temperature: 5,
  pixels: 'clamp',
  initial: 'uniform',
  initialScale: 0.3,
  totalVariation: 0.005,
  sparsity: 0.003,
  batchNormPrior: 0,
  view: { rotationDegrees: 17, scaleMin: 0.85, scaleMax: 1.15, translatePixels: 2 },
  warmStart: false,
} as const satisfies Omit<SynthesisOptions, 'batchSize' | 'seed'>;

async function* impressionsOf(
  { bounds }: Victim,
  { model, count, seed, session, now }: UniversalPlan,
): AsyncGenerator<{ done: number; total: number }, Float32Array, void> {
  const { graph, inputName, logitsName, shape, classes } = model;
  const { templates } = model.description;
  const similarity = templates ? classSimilarity(templates.weight, classes) : noSimilarity(classes);
  const targets = sampleTargets(similarity, { kind: 'dirichlet', count, scales: [1, 0.1], seed });
  const teacher = { graph, inputName, logitsName, shape, classes, bounds, batchNorms: [] };
  const options = { ...synthesis, batchSize: Math.min(100, count), seed };
  const progress = emptyProgress({ count, batchSize: options.batchSize, shape });
  for await (const { stepsDone, stepsTotal } of synthesize(
    { teacher, options, targets, sessions: [session], now },
    progress,
  )) {
    yield { done: synthesisShare * stepsDone, total: stepsTotal };
  }
  return progress.images;
}
