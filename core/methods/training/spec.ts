import { z } from 'zod';
import { seedParam, viewParams, weightDecayParam } from '../common-params.ts';
import { feedBytes, reportBytes, weightBytes } from '../common-scale.ts';
import { defineMethod, ui } from '../define.ts';

export const spec = defineMethod({
  id: 'training',
  version: 1,
  title: 'Supervised training',
  summary:
    'Trains an architecture of the zoo, or the weights of any ONNX classifier, on labelled images and writes it as ONNX.',
  papers: [],
  purpose:
    'Makes teachers and reference students. Loss is mean cross-entropy; the figure on the test set is measured once, at ' +
    'the end, and selects nothing.',
  verb: 'train',
  models: {
    model: {
      title: 'Model',
      help: 'An architecture of the zoo, freshly initialised, or an ONNX classifier whose weights are the start.',
      output: 'logits',
      gradients: 1,
      zoo: true,
      default: 'lenet5',
    },
  },
  data: {
    train: { title: 'Training set', help: 'Labelled images.', labels: 'required', split: 'train' },
    test: {
      title: 'Test set',
      help: 'Labelled images for the final figure.',
      labels: 'required',
      optional: true,
      split: 'test',
    },
  },
  params: z.strictObject({
    epochs: z.int().min(1).max(100_000).default(6).register(ui, { title: 'Epochs', unit: 'epochs' }),
    batchSize: z.int().min(1).max(100_000).default(128).register(ui, { title: 'Batch', unit: 'images' }),
    optimiser: z.enum(['adam', 'adamw', 'sgd']).default('adam').register(ui, { title: 'Optimiser' }),
    learningRate: z
      .number()
      .positive()
      .max(100)
      .default(0.003)
      .register(ui, { title: 'Learning rate', unit: '1', help: 'The highest one of the schedule.' }),
    schedule: z
      .enum(['one-cycle', 'cosine', 'constant'])
      .default('one-cycle')
      .register(ui, { title: 'Schedule', help: 'one-cycle: up over 30 % of the steps, then down, both as a cosine.' }),
    momentum: z
      .number()
      .min(0)
      .max(0.999)
      .default(0.9)
      .register(ui, { title: 'Momentum', unit: '1', group: 'advanced', help: 'SGD only.' }),
    nesterov: z
      .boolean()
      .default(false)
      .register(ui, { title: 'Nesterov momentum', group: 'advanced', help: 'SGD only.' }),
    weightDecay: weightDecayParam(),
    labelSmoothing: z
      .number()
      .min(0)
      .max(0.99)
      .default(0)
      .register(ui, { title: 'Label smoothing', unit: 'fraction', group: 'advanced' }),
    ...viewParams({ augmentRotation: 0, augmentScaleLow: 1, augmentScaleHigh: 1, augmentShift: 0 }),
    seed: seedParam(),
  }),
  recipes: {
    quick: { title: 'Quick', help: 'One pass over the data.', params: { epochs: 1 } },
    standard: { title: 'Standard', help: 'Six epochs of Adam with a one-cycle schedule.', params: { epochs: 6 } },
  },
  metrics: {
    testAccuracy: { title: 'Test accuracy', unit: 'fraction', better: 'higher', help: 'Top-1 on the test set' },
    calibrationError: {
      title: 'Expected calibration error',
      unit: 'fraction',
      better: 'lower',
      help: '15 equal bins, test set',
    },
    finalLoss: { title: 'Final training loss', unit: 'nat', better: 'lower', help: 'Mean over the last epoch' },
    parameters: { title: 'Parameters', unit: '1' },
  },
  work: [
    {
      times: ['epochs', 'data.train'],
      amount: {
        of: ['augmentRotation', 'augmentShift'],
        // Turning and moving every image costs about as much as a small network.
        value: ({ augmentRotation, augmentShift }) => (augmentRotation === 0 && augmentShift === 0 ? 1 : 1.7),
      },
      batch: 'batchSize',
      costs: [{ model: 'model', pass: 'parameter-gradient' }],
    },
    { times: ['data.test'], costs: [{ model: 'model', pass: 'forward' }] },
  ],
  footprint: (scale) => ({
    lanes: 0,
    keptBytes: feedBytes,
    batchSize: Number(scale.params['batchSize']),
    writtenBytes: weightBytes(scale, 'model') + reportBytes,
  }),
  columns: ['testAccuracy', 'finalLoss', 'parameters'],
});
