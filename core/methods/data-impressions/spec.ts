import { z } from 'zod';
import { lanesParam, seedParam, viewParams, weightDecayParam } from '../common-params.ts';
import { feedBytes, imageBytes, lanesOf, reportBytes, weightBytes } from '../common-scale.ts';
import { defineMethod, ui, type Work } from '../define.ts';

/** The teacher answers a view of an image, the student learns from it. */
const distillationStep: Work['costs'] = [
  { model: 'teacher', pass: 'forward' },
  { model: 'student', pass: 'parameter-gradient' },
];

/** Beside the passes: priors and views of the synthesis, and the light and views of the distillation; measured. */
const synthesisAmount = {
  of: ['totalVariation', 'viewRotation'],
  value: ({ totalVariation, viewRotation }: Readonly<Record<string, unknown>>) =>
    totalVariation === 0 && viewRotation === 0 ? 1 : 1.7,
} as const;
const distillationAmount = {
  of: ['plainEpochs'],
  value: ({ plainEpochs, epochs }: Readonly<Record<string, unknown>>) =>
    2 - Math.min(1, Number(plainEpochs) / Number(epochs)),
} as const;

const Sized = z.object({ count: z.number(), synthesisBatchSize: z.number(), batchSize: z.number(), lanes: z.number() });

const fraction = (low = 0, high = 1): z.ZodNumber => z.number().min(low).max(high);

export const spec = defineMethod({
  id: 'data-impressions',
  version: 1,
  title: 'Data impressions and zero-shot distillation',
  summary:
    'Surrogate inputs read out of a teacher’s weights, and a student distilled from them without any training data.',
  papers: [
    {
      title: 'Zero-Shot Knowledge Distillation in Deep Networks',
      authors: 'Nayak, Mopuri, Shaj, Babu, Chakraborty',
      venue: 'ICML',
      year: 2019,
    },
    {
      title: 'Mining Data Impressions from Deep Models as Substitute for the Unavailable Training Data',
      authors: 'Nayak, Mopuri, Jain, Chakraborty',
      venue: 'IEEE TPAMI 44(11)',
      year: 2022,
    },
  ],
  purpose:
    'Answers how much of a model’s competence can be cloned by someone who holds its weights and no data. Needs the ' +
    'weights and an identifiable last linear layer. Impressions are inputs that the teacher answers in a wanted way; they ' +
    'are not reconstructions of training images. Known limits: the papers’ settings for MNIST and Fashion-MNIST are only ' +
    'partly published, and independent reproductions stay below the published figures (96.98 % against 98.77 % on MNIST).',
  models: {
    teacher: {
      title: 'Teacher',
      help: 'The trained classifier to read out.',
      output: 'logits',
      gradients: 1,
      default: 'bundled:lenet5-mnist',
    },
    student: {
      title: 'Student',
      help: 'What to train: an architecture of the zoo, freshly initialised, or any ONNX classifier with the teacher’s input and classes.',
      output: 'logits',
      gradients: 1,
      zoo: true,
      default: 'lenet5-half',
    },
  },
  data: {
    test: {
      title: 'Test set',
      help: 'Labelled images for the final figures only; never used in training or selection.',
      labels: 'required',
      optional: true,
      split: 'test',
    },
    real: {
      title: 'Real images for the control',
      help: 'Unlabelled images of the real kind: the same distillation on as many of them is the upper reference.',
      labels: 'unused',
      optional: true,
      split: 'train',
    },
  },
  params: z.strictObject({
    count: z.int().min(10).max(1_000_000).default(6000).register(ui, {
      title: 'Impressions',
      unit: 'images',
      help: 'Paper: 24,000 for MNIST, 48,000 for Fashion-MNIST, 40,000 for CIFAR-10.',
      source: 'our calibration',
    }),
    steps: z.int().min(1).max(100_000).default(150).register(ui, {
      title: 'Synthesis steps',
      unit: 'steps',
      help: 'Optimiser steps per impression; 1,500 in the ports of the released code.',
      source: 'our calibration',
    }),
    synthesisBatchSize: z.int().min(1).max(10_000).default(200).register(ui, {
      title: 'Synthesis batch',
      unit: 'images',
      group: 'advanced',
      help: 'Images of a batch share random numbers, a batch-norm prior and a batch-wise pixel range; otherwise each goes its own way.',
    }),
    synthesisLearningRate: z.number().positive().max(100).default(0.05).register(ui, {
      title: 'Synthesis learning rate',
      unit: 'pixel range',
      help: 'Adam on pixels. Released code: 0.001; a reader of the paper reports 3.0 for MNIST.',
      source: 'our calibration',
    }),
    synthesisSchedule: z.enum(['constant', 'linear']).default('constant').register(ui, {
      title: 'Synthesis schedule',
      group: 'advanced',
      help: 'linear falls to 0 over the steps (reported for VGG-19).',
    }),
    temperature: z.number().positive().max(1000).default(5).register(ui, {
      title: 'Synthesis temperature',
      unit: '1',
      help: 'Divides the teacher’s logits. At the paper’s 20, ten classes ask for logit gaps that pixels in [0, 1] cannot reach.',
      source: 'our calibration; paper 20',
    }),
    targets: z.enum(['dirichlet', 'one-hot', 'uniform', 'shuffled']).default('dirichlet').register(ui, {
      title: 'Targets',
      help: 'dirichlet: the paper; one-hot: class impressions; uniform: the same concentration for every class; shuffled: similarities of other classes.',
    }),
    scales: z.array(z.number().positive().max(1000)).min(1).max(16).default([1, 0.1]).register(ui, {
      title: 'Dirichlet scales β',
      unit: '1',
      help: 'Impressions are shared equally among the scales.',
      source: 'paper',
    }),
    scaleMode: z.enum(['paper', 'release']).default('paper').register(ui, {
      title: 'Meaning of β',
      group: 'advanced',
      help: 'release: as in the released code, where re-normalising each row undoes β, so that every impression uses β = 1.',
    }),
    pixels: z.enum(['clamp', 'free', 'mixed', 'batch-min-max', 'image-min-max']).default('clamp').register(ui, {
      title: 'Pixel handling',
      group: 'advanced',
      help: 'After each step: clip to the valid range, leave free, clip every other batch and leave the rest free (mixed), or rescale the batch (released code) or each image to the range.',
    }),
    initial: z.enum(['uniform', 'normal']).default('uniform').register(ui, {
      title: 'Initial images',
      group: 'advanced',
      help: 'uniform in the valid range (released code) or standard normal (PyTorch ports).',
    }),
    initialScale: fraction(0.001, 1).default(0.3).register(ui, {
      title: 'Initial contrast',
      unit: 'fraction',
      group: 'advanced',
      help: 'Multiplies the initial images: a dark start gives sparse images.',
      source: 'our calibration; released code 1',
    }),
    warmStart: z.boolean().default(false).register(ui, {
      title: 'Warm start',
      group: 'advanced',
      help: 'Each batch starts from the one before with its Adam moments, as the released code does within a class and scale.',
    }),
    totalVariation: z.number().min(0).max(100).default(0.005).register(ui, {
      title: 'Total-variation prior',
      unit: 'nat per pixel range',
      group: 'advanced',
      help: 'Weight of Σ|∇x| per image. Not in the paper.',
      source: 'our calibration',
    }),
    sparsity: z.number().min(0).max(100).default(0.003).register(ui, {
      title: 'L1 prior',
      unit: 'nat per pixel range',
      group: 'advanced',
      help: 'Weight of Σ|x| per image. Not in the paper.',
      source: 'our calibration',
    }),
    batchNormPrior: z.number().min(0).max(100).default(0).register(ui, {
      title: 'Batch-norm prior',
      unit: '1',
      group: 'advanced',
      help: 'Weight of the distance between the batch’s feature statistics and the running ones; needs batch-norm layers in the file.',
    }),
    viewRotation: z.number().min(0).max(180).default(17).register(ui, {
      title: 'View rotation',
      unit: '± degrees',
      group: 'advanced',
      help: 'Each step looks at a fresh random affine view of each image; 0, 1, 1 and 0 switch it off.',
      source: 'our calibration',
    }),
    viewScaleLow: z
      .number()
      .min(0.1)
      .max(1)
      .default(0.85)
      .register(ui, { title: 'View scale, lowest', unit: '1', group: 'advanced' }),
    viewScaleHigh: z
      .number()
      .min(1)
      .max(10)
      .default(1.15)
      .register(ui, { title: 'View scale, highest', unit: '1', group: 'advanced' }),
    viewShift: z
      .number()
      .min(0)
      .max(1000)
      .default(2)
      .register(ui, { title: 'View shift', unit: '± pixels', group: 'advanced' }),
    epochs: z.int().min(1).max(100_000).default(60).register(ui, { title: 'Distillation epochs', unit: 'epochs' }),
    batchSize: z
      .int()
      .min(1)
      .max(10_000)
      .default(128)
      .register(ui, { title: 'Distillation batch', unit: 'images', group: 'advanced' }),
    learningRate: z.number().positive().max(10).default(0.002).register(ui, {
      title: 'Distillation learning rate',
      unit: '1',
      help: 'Adam with a cosine schedule to zero.',
      source: 'our calibration; released code 0.001, constant',
    }),
    schedule: z
      .enum(['cosine', 'constant'])
      .default('cosine')
      .register(ui, { title: 'Distillation schedule', group: 'advanced' }),
    weightDecay: weightDecayParam(),
    distillTemperature: z
      .number()
      .positive()
      .max(1000)
      .default(8)
      .register(ui, { title: 'Distillation temperature', unit: '1', source: 'our calibration; paper 20' }),
    softLabels: z.enum(['relabel', 'response', 'target']).default('relabel').register(ui, {
      title: 'Soft labels',
      group: 'advanced',
      help: 'relabel: the teacher answers every augmented view; response: its answer to the plain impression; target: the sampled Dirichlet target.',
    }),
    augmentation: z.enum(['affine', 'release']).default('affine').register(ui, {
      title: 'Augmentation',
      group: 'advanced',
      help: 'affine: random views in the ranges below; release: one of the 106 transforms of the released code for each image. Plain epochs 1 switches both off.',
    }),
    ...viewParams({ augmentRotation: 25, augmentScaleLow: 0.75, augmentScaleHigh: 1.1, augmentShift: 4 }),
    augmentBrightness: z.number().min(1).max(100).default(2.7).register(ui, {
      title: 'Augmentation brightness, highest',
      unit: '× pixel value',
      group: 'advanced',
      help: 'Each image is brightened by a random factor up to this one and clipped to the valid range; 1: not at all. Impressions come out darker than real images. Not in the paper.',
      source: 'our calibration',
    }),
    augmentOverlay: fraction().default(0.5).register(ui, {
      title: 'Augmentation overlay',
      unit: 'fraction',
      group: 'advanced',
      help: 'Share of the images over which another one is laid, dimmed at random (the brighter pixel counts). Not in the paper.',
      source: 'our calibration',
    }),
    plainEpochs: z.int().min(0).max(100).default(3).register(ui, {
      title: 'Plain epoch every',
      unit: 'epochs',
      group: 'advanced',
      help: 'Every so many epochs one passes without augmentation; 0: never, 1: augmentation is off.',
    }),
    selection: z.enum(['final', 'agreement']).default('final').register(ui, {
      title: 'Student kept',
      group: 'advanced',
      help: 'The last one, or the one that agrees best with the teacher on a tenth of the impressions held out. Never the best on test data.',
    }),
    controlNoise: z.boolean().default(true).register(ui, {
      title: 'Control: noise',
      help: 'The same distillation on uniform noise without any optimisation.',
    }),
    controlReal: z.boolean().default(true).register(ui, {
      title: 'Control: real images',
      help: 'The same distillation on as many real images, when they are given.',
    }),
    lanes: lanesParam('Batches and arms computed'),
    seed: seedParam(),
  }),
  recipes: {
    quick: {
      title: 'Quick look',
      help: '6,000 impressions; a few minutes on two cores.',
      params: { count: 6000, steps: 150, epochs: 60 },
    },
    standard: {
      title: 'Standard',
      help: 'The best student within about 15 minutes on two cores.',
      params: { count: 24000, steps: 150, pixels: 'mixed', epochs: 50 },
    },
    paper: {
      title: 'Paper’s protocol',
      help: 'As far as it is known: 24,000 impressions (set 48,000 for Fashion-MNIST), temperature 20, pixels left free, no priors, no views. Steps and rates for grey images are unpublished: these made the best students of those that we tried; the ports use 1,500 steps at 0.01 or 3.0.',
      params: {
        count: 24000,
        steps: 200,
        synthesisBatchSize: 100,
        pixels: 'free',
        temperature: 20,
        distillTemperature: 20,
        initialScale: 1,
        totalVariation: 0,
        sparsity: 0,
        viewRotation: 0,
        viewScaleLow: 1,
        viewScaleHigh: 1,
        viewShift: 0,
        augmentBrightness: 1,
        augmentOverlay: 0,
        epochs: 60,
      },
    },
  },
  metrics: {
    studentAccuracy: { title: 'Student accuracy', unit: 'fraction', better: 'higher', help: 'Top-1 on the test set' },
    teacherAccuracy: { title: 'Teacher accuracy', unit: 'fraction', better: 'higher', help: 'Top-1 on the test set' },
    noiseAccuracy: {
      title: 'Control: noise',
      unit: 'fraction',
      better: 'higher',
      help: 'Student distilled on noise, top-1 on the test set',
    },
    realAccuracy: {
      title: 'Control: real images',
      unit: 'fraction',
      better: 'higher',
      help: 'Student distilled on as many real images, top-1 on the test set',
    },
    agreement: {
      title: 'Agreement with the teacher',
      unit: 'fraction',
      better: 'higher',
      help: 'Same top-1 class on the test set',
    },
    cloneEfficiency: {
      title: 'Clone efficiency',
      unit: 'fraction',
      better: 'higher',
      help: '(student − chance) / (real-image student − chance)',
    },
    calibrationError: {
      title: 'Expected calibration error',
      unit: 'fraction',
      better: 'lower',
      help: 'Of the student, 15 equal bins, test set',
    },
    excessLoss: {
      title: 'Excess loss',
      unit: 'nat',
      better: 'lower',
      help: 'KL(target ‖ teacher’s answer) at the synthesis temperature, mean over impressions',
    },
    attained: {
      title: 'Targets attained',
      unit: 'fraction',
      better: 'higher',
      help: 'Impressions whose most likely class is the target’s',
    },
    heldOutAgreement: {
      title: 'Held-out agreement',
      unit: 'fraction',
      better: 'higher',
      help: 'With the teacher, on impressions held out of the distillation',
    },
  },
  work: [
    {
      times: ['count', 'steps'],
      amount: synthesisAmount,
      batch: 'synthesisBatchSize',
      costs: [{ model: 'teacher', pass: 'input-gradient' }],
    },
    { times: ['count', 'epochs'], amount: distillationAmount, batch: 'batchSize', costs: distillationStep },
    {
      times: ['count', 'epochs', 'controlNoise'],
      amount: distillationAmount,
      batch: 'batchSize',
      costs: distillationStep,
    },
    {
      times: ['count', 'epochs', 'controlReal'],
      data: 'real',
      amount: distillationAmount,
      batch: 'batchSize',
      costs: distillationStep,
    },
    { times: ['data.test'], costs: [{ model: 'teacher', pass: 'forward', count: 3 }] },
  ],
  footprint: (scale) => {
    const { count, synthesisBatchSize, batchSize, lanes } = Sized.parse(scale.params);
    const images = count * imageBytes(scale, 'teacher');
    return {
      lanes: lanesOf(scale, lanes, Math.ceil(count / synthesisBatchSize)),
      // The impressions, those of the controls, and a copy while they are stored.
      keptBytes: 4 * images + feedBytes,
      batchSize: Math.max(batchSize, synthesisBatchSize),
      writtenBytes: images + 2 * weightBytes(scale, 'student') + reportBytes,
    };
  },
  columns: ['studentAccuracy', 'teacherAccuracy', 'noiseAccuracy', 'realAccuracy', 'cloneEfficiency'],
});
