import { z } from 'zod';
import { lanesParam, seedParam, viewParams, weightDecayParam } from '../common-params.ts';
import { feedBytes, imageBytes, lanesOf, reportBytes, weightBytes } from '../common-scale.ts';
import { defineMethod, ui, type Work } from '../define.ts';

/** The teacher answers a view of an image, the student learns from it. */
/** With the views of every image, which cost as much again. */
const distillationStep: Work['costs'] = [
  { model: 'teacher', pass: 'forward', count: 2 },
  { model: 'student', pass: 'parameter-gradient', count: 2 },
];

const twice = { of: [], value: () => 2 } as const;
const Sized = z.object({ count: z.number(), batchSize: z.number(), lanes: z.number(), repeats: z.number() });

export const spec = defineMethod({
  id: 'arbitrary-transfer',
  version: 1,
  title: 'Arbitrary transfer sets',
  summary:
    'A student distilled with images that have nothing to do with the task, balanced over the teacher’s answers, against the same images unbalanced.',
  papers: [
    {
      title: 'Effectiveness of Arbitrary Transfer Sets for Data-free Knowledge Distillation',
      authors: 'Nayak, Mopuri, Chakraborty',
      venue: 'WACV',
      year: 2021,
    },
  ],
  purpose:
    'Asks how well a model can be cloned with data that anybody has: other images, drawings, noise. It is the cheap ' +
    'baseline that every data-free method has to beat. Needs answers of the teacher only, no gradients and no last layer. ' +
    'Known limits: a network gives noise to a few of its classes, so that a balanced set of it may not be reachable; the ' +
    'run says how far it got. The paper’s tables and settings could not be read: no figure or default here is the paper’s.',
  models: {
    teacher: {
      title: 'Teacher',
      help: 'The trained classifier to clone. Only its answers are used.',
      output: 'logits',
      gradients: 0,
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
    pool: {
      title: 'Pool',
      help: 'Images to draw the transfer set from, of any size, grey or colour; labels are not looked at.',
      labels: 'unused',
      optional: true,
      split: 'train',
    },
    test: {
      title: 'Test set',
      help: 'Labelled images for the final figures only; never used in training or selection.',
      labels: 'required',
      optional: true,
      split: 'test',
    },
    real: {
      title: 'Real images for the reference',
      help: 'Unlabelled images of the real kind: the same distillation on as many of them is the upper reference.',
      labels: 'unused',
      optional: true,
      split: 'train',
    },
  },
  params: z.strictObject({
    source: z
      .enum([
        'auto',
        'data',
        'shapes',
        'mixed-noise',
        'uniform',
        'gaussian',
        'smooth',
        'pink',
        'sparse-strokes',
        'gradient',
        'gabor',
        'checkerboard',
        'blobs',
        'polygons',
        'ellipses',
        'arcs',
        'lines',
        'curves',
        'mixed-shapes',
        'textures',
      ])
      .default('auto')
      .register(ui, {
        title: 'Source of the pool',
        help: 'auto: the pool data where they are given, else shapes. shapes and mixed-noise draw from all kinds of drawings and of noise; the others are single kinds.',
      }),
    count: z.int().min(10).max(1_000_000).default(10_000).register(ui, {
      title: 'Transfer set',
      unit: 'images',
      help: 'Size of each set; every class gets an equal share of the balanced one.',
      source: 'our choice',
    }),
    maxScan: z.int().min(0).max(1_000_000_000).default(0).register(ui, {
      title: 'Images looked at, at most',
      unit: 'images',
      help: 'The scan ends here even if classes are short; 0: 200 times the transfer set. It ends early when every class has its share.',
    }),
    shortfall: z.enum(['auto', 'cap', 'repeat', 'partial']).default('auto').register(ui, {
      title: 'When a class is short',
      help: 'repeat: use its images several times; cap: shrink every class to the shortest; partial: leave it short and weight the loss; auto: repeat while every class has a tenth of its share, else cap.',
    }),
    filter: z.enum(['none', 'top-confidence', 'low-entropy', 'margin']).default('none').register(ui, {
      title: 'Confidence filter',
      group: 'advanced',
      help: 'Keeps the images of each class that the teacher is surest of; margin is the gap of the two highest logits over the distance of their class templates. Thresholds come from the pool itself.',
    }),
    filterShare: z.number().positive().max(1).default(0.1).register(ui, {
      title: 'Share kept by the filter',
      unit: 'fraction',
      group: 'advanced',
      help: 'Of the images of each class.',
    }),
    skew: z.number().min(0).max(8).default(0).register(ui, {
      title: 'Skew of the unbalanced set',
      unit: '1',
      group: 'advanced',
      help: '0: as the pool comes. s > 0: the share of the k-th most frequent class is proportional to k to the power −s.',
    }),
    invert: z.boolean().default(false).register(ui, {
      title: 'Invert the pool',
      help: 'For a teacher of white on black and a pool of black on white.',
    }),
    relation: z.enum(['unrelated', 'related', 'overlapping']).default('unrelated').register(ui, {
      title: 'Pool and task',
      group: 'advanced',
      help: 'What you know of the pool; printed in the report, changes nothing. Overlapping: it holds classes of the task.',
    }),
    temperature: z.number().positive().max(1000).default(20).register(ui, {
      title: 'Distillation temperature',
      unit: '1',
      source: 'released code of the same group (DeGAN)',
    }),
    epochs: z.int().min(1).max(100_000).default(20).register(ui, {
      title: 'Distillation epochs',
      unit: 'epochs',
      source: 'our choice; released sibling code: up to 5,000 with early stopping',
    }),
    batchSize: z
      .int()
      .min(1)
      .max(10_000)
      .default(64)
      .register(ui, { title: 'Distillation batch', unit: 'images', group: 'advanced', source: 'our calibration' }),
    learningRate: z.number().positive().max(10).default(0.002).register(ui, {
      title: 'Distillation learning rate',
      unit: '1',
      help: 'Adam.',
      source: 'our calibration; released code of the same group (DeGAN) 0.001, then 0.0001',
    }),
    schedule: z
      .enum(['cosine', 'constant'])
      .default('cosine')
      .register(ui, { title: 'Distillation schedule', group: 'advanced' }),
    weightDecay: weightDecayParam(),
    softLabels: z.enum(['relabel', 'response', 'hard']).default('relabel').register(ui, {
      title: 'Soft labels',
      group: 'advanced',
      help: 'relabel: the teacher answers every augmented view; response: its answer to the plain image; hard: its most likely class alone.',
    }),
    softWeight: z.number().min(0).max(1).default(1).register(ui, {
      title: 'Weight of the soft answers',
      unit: '1',
      group: 'advanced',
      help: 'λ, of the divergence from the teacher’s soft answer; the rest, 1 − λ, goes to the cross-entropy with its most likely class.',
      source: 'released code of the same group (DeGAN)',
    }),
    ...viewParams({ augmentRotation: 10, augmentScaleLow: 0.9, augmentScaleHigh: 1.1, augmentShift: 2 }),
    selection: z.enum(['final', 'agreement']).default('final').register(ui, {
      title: 'Student kept',
      group: 'advanced',
      help: 'The last one, or the one that agrees best with the teacher on a tenth of the transfer set held out. Never the best on test data.',
    }),
    repeats: z.int().min(1).max(100).default(1).register(ui, {
      title: 'Repeats',
      unit: 'seeds',
      help: 'Pairs of balanced and unbalanced sets and students, seeds one apart. From two on the difference has an interval; noise needs three or more.',
    }),
    controlReal: z.boolean().default(true).register(ui, {
      title: 'Reference: real images',
      help: 'The same distillation on as many real images, when they are given.',
    }),
    controlShuffled: z.boolean().default(false).register(ui, {
      title: 'Reference: shuffled answers',
      help: 'Lower reference: uniform noise with answers of the teacher that belong to other images.',
    }),
    lanes: lanesParam('Students trained'),
    seed: seedParam(),
  }),
  recipes: {
    quick: {
      title: 'Quick look',
      help: '2,000 images a set, 40 epochs; about half a minute on two cores.',
      params: { count: 2000, epochs: 40, maxScan: 40_000 },
    },
    standard: {
      title: 'Standard',
      help: '10,000 images a set, 20 epochs, at most 200,000 images looked at; about two minutes on two cores.',
      params: { count: 10_000, epochs: 20, maxScan: 200_000 },
    },
    seeds: {
      title: 'Standard with three seeds',
      help: 'The difference with an interval: what noise pools need.',
      params: { count: 10_000, epochs: 20, maxScan: 200_000, repeats: 3 },
    },
  },
  metrics: {
    balancedAccuracy: {
      title: 'Balanced',
      unit: 'fraction',
      better: 'higher',
      help: 'Student of the balanced set, top-1 on the test set, mean over repeats',
    },
    unbalancedAccuracy: {
      title: 'Unbalanced',
      unit: 'fraction',
      better: 'higher',
      help: 'Student of the unbalanced set of the same size, top-1 on the test set, mean over repeats',
    },
    balanceGain: {
      title: 'Gain by balance',
      unit: 'fraction',
      better: 'higher',
      help: 'Balanced minus unbalanced, mean of the pairs',
    },
    realAccuracy: {
      title: 'Reference: real images',
      unit: 'fraction',
      better: 'higher',
      help: 'Student distilled on as many real images, top-1 on the test set',
    },
    shuffledAccuracy: {
      title: 'Reference: shuffled answers',
      unit: 'fraction',
      better: 'higher',
      help: 'Student of noise with shuffled answers, top-1 on the test set',
    },
    teacherAccuracy: { title: 'Teacher accuracy', unit: 'fraction', better: 'higher', help: 'Top-1 on the test set' },
    agreement: {
      title: 'Agreement with the teacher',
      unit: 'fraction',
      better: 'higher',
      help: 'Of the balanced student, same top-1 class on the test set',
    },
    calibrationError: {
      title: 'Expected calibration error',
      unit: 'fraction',
      better: 'lower',
      help: 'Of the balanced student, 15 equal bins, test set',
    },
    heldOutAgreement: {
      title: 'Held-out agreement',
      unit: 'fraction',
      better: 'higher',
      help: 'Of the balanced student with the teacher, on images held out of the distillation',
    },
    fillRate: {
      title: 'Fill rate',
      unit: 'fraction',
      better: 'higher',
      help: 'Different images in the balanced set over its wanted size',
    },
    balanceScore: {
      title: 'Balance of the pool',
      unit: '1',
      help: 'Entropy of the teacher’s answers to the pool over its largest possible value; 1 is even',
    },
    imbalanceRatio: {
      title: 'Imbalance of the pool',
      unit: '1',
      help: 'Most over least frequent class of the teacher’s answers to the pool',
    },
    scanned: { title: 'Images looked at', unit: 'images' },
    transferCount: { title: 'Transfer set', unit: 'images', help: 'Size of both sets, repeated images counted' },
  },
  work: [
    // The balanced set and the one as it comes; views of every image cost as much again.
    {
      times: ['count', 'epochs', 'repeats'],
      amount: twice,
      batch: 'batchSize',
      costs: distillationStep,
    },
    {
      times: ['count', 'epochs', 'repeats', 'controlReal'],
      data: 'real',
      batch: 'batchSize',
      costs: distillationStep,
    },
    { times: ['count', 'epochs', 'repeats', 'controlShuffled'], batch: 'batchSize', costs: distillationStep },
    { times: ['maxScan'], isAlone: true, costs: [{ model: 'teacher', pass: 'forward', count: 0.5 }] },
    { times: ['data.test'], costs: [{ model: 'teacher', pass: 'forward', count: 3 }] },
  ],
  footprint: (scale) => {
    const { count, batchSize, lanes, repeats } = Sized.parse(scale.params);
    return {
      lanes: lanesOf(scale, lanes, 3 * repeats),
      keptBytes: 3 * count * imageBytes(scale, 'teacher') + feedBytes,
      batchSize,
      writtenBytes: 3 * repeats * weightBytes(scale, 'student') + reportBytes,
    };
  },
  columns: ['balancedAccuracy', 'unbalancedAccuracy', 'balanceGain', 'realAccuracy', 'fillRate', 'balanceScore'],
});
