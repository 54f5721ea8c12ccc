import { z } from 'zod';
import { lanesParam, seedParam } from '../common-params.ts';
import { ui } from '../define.ts';
import { defenceForms, readDefence } from './spec-defences.ts';

const preset = 'as the attack has it';
const whole = (least: number, most: number): z.ZodInt => z.int().min(least).max(most);

export const params = z.strictObject({
  runs: whole(1, 10_000).default(10).register(ui, {
    title: 'Runs',
    unit: 'gradients',
    help: 'Gradients that are attacked; with a batch of one, images.',
  }),
  batchSize: whole(1, 1024)
    .default(1)
    .register(ui, { title: 'Batch', unit: 'images', help: 'Images behind one gradient.' }),
  attack: z
    .enum(['idlg', 'dlg', 'inverting-gradients', 'see-through', 'modern', 'wei', 'none'])
    .default('idlg')
    .register(ui, {
      title: 'Attack',
      help: 'Published settings; the options below change single ones. none: labels and closed forms only.',
    }),
  steps: whole(1, 100_000).default(100).register(ui, {
    title: 'Steps',
    unit: 'steps',
    help: 'Outer steps of L-BFGS with up to 20 iterations each, or updates of Adam. Papers: 300 (DLG, iDLG), 4,800 to 24,000 (Inverting Gradients).',
  }),
  defences: z
    .array(
      z.string().check((context) => {
        const read = readDefence(context.value);
        if (typeof read === 'string') context.issues.push({ code: 'custom', input: context.value, message: read });
      }),
    )
    .max(24)
    .default([])
    .register(ui, {
      title: 'Defences',
      help: `Each is attacked beside no defence, by an attacker who knows it: ${Object.keys(defenceForms).join(', ')}; numbers after colons, as in gaussian:0.001 (variance), prune:0.9 (fraction), clip:1 (norm), dp-sgd:1:1.1 (norm, noise multiplier).`,
    }),
  weights: z.enum(['as-given', 'uniform', 'torch-default']).default('as-given').register(ui, {
    title: 'Weights',
    help: 'as-given: of the file or architecture; uniform: all from U(−a, a), as in DLG and iDLG; torch-default: PyTorch’s rule by layer.',
  }),
  initBound: z
    .number()
    .positive()
    .max(10)
    .default(0.5)
    .register(ui, { title: 'Range a of uniform weights', unit: '1', group: 'advanced', source: 'DLG, iDLG' }),
  netPerRun: z.boolean().default(true).register(ui, {
    title: 'Fresh network each run',
    group: 'advanced',
    help: 'Where weights are drawn: a network of its own (seed + run) for each gradient, as in iDLG.',
  }),
  trainEpochs: whole(0, 1000).default(0).register(ui, {
    title: 'Train before',
    unit: 'epochs',
    help: 'Trains the network on the public images first; trained networks leak less.',
  }),
  activation: z
    .enum(['as-given', 'sigmoid', 'tanh', 'softplus', 'relu'])
    .default('as-given')
    .register(ui, { title: 'Activation', group: 'advanced' }),
  batchNorm: z.enum(['eval', 'train']).default('eval').register(ui, {
    title: 'Batch norm',
    group: 'advanced',
    help: 'With the running statistics, or with those of the batch.',
  }),
  labelChoice: z.enum(['random', 'distinct', 'repeated']).default('random').register(ui, {
    title: 'Labels of a batch',
    group: 'advanced',
    help: 'As they come, all different, or all the same.',
  }),
  localSteps: whole(0, 100).default(0).register(ui, {
    title: 'Local steps',
    unit: 'steps',
    help: 'SGD steps before the update is shared (FedAvg); 0: the gradient itself is shared.',
  }),
  localRate: z
    .number()
    .positive()
    .max(10)
    .default(1e-4)
    .register(ui, { title: 'Local learning rate', unit: '1', group: 'advanced', source: 'Inverting Gradients' }),
  localBatchSize: whole(0, 1024).default(0).register(ui, {
    title: 'Local batch',
    unit: 'images',
    group: 'advanced',
    help: 'Images of one local step; 0: all.',
  }),
  gradientFile: z.string().max(4096).default('').register(ui, {
    title: 'Gradient from a file',
    group: 'advanced',
    isFile: true,
    help: 'Path of a .safetensors or .npz file with a tensor for each parameter, by its name in the model. It is attacked instead of gradients made here; recovery cannot be scored.',
  }),
  estimateBatchSize: z.boolean().default(false).register(ui, {
    title: 'Batch of the file is not known',
    group: 'advanced',
    help: 'Counts the images behind the gradient of a file, where it tells how many they are: by the rank of its linear layers and by whole counts of the classes.',
  }),
  labelSource: z
    .enum(['attack', 'known', 'joint', 'L1', 'L1-sign', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7'])
    .default('attack')
    .register(ui, {
      title: 'Labels for the attack',
      group: 'advanced',
      help: `joint: optimised with the image (DLG). attack: ${preset}; others than DLG take the best rule for the batch.`,
    }),
  distance: z
    .enum(['attack', 'l2', 'cosine', 'cosine-by-layer', 'l1', 'max', 'euclidean'])
    .default('attack')
    .register(ui, { title: 'Distance of gradients', group: 'advanced', help: preset }),
  layerWeights: z
    .enum(['equal', 'linear', 'exponential'])
    .default('equal')
    .register(ui, { title: 'Weights of layers', group: 'advanced' }),
  optimiser: z
    .enum(['attack', 'lbfgs', 'lbfgs-wolfe', 'adam', 'signed-adam', 'soft-signed-adam'])
    .default('attack')
    .register(ui, {
      title: 'Optimiser',
      group: 'advanced',
      help: 'lbfgs: PyTorch’s, without line search, as published; lbfgs-wolfe: with a strong-Wolfe search, which is not what the papers did.',
    }),
  learningRate: z
    .number()
    .positive()
    .max(100)
    .nullable()
    .default(null)
    .register(ui, { title: 'Learning rate', unit: '1', group: 'advanced', help: `none: ${preset}.` }),
  totalVariation: z
    .number()
    .min(0)
    .max(100)
    .nullable()
    .default(null)
    .register(ui, { title: 'Total variation', unit: '1', group: 'advanced', help: `none: ${preset}.` }),
  batchNormPrior: z
    .number()
    .min(0)
    .max(100)
    .nullable()
    .default(null)
    .register(ui, { title: 'Batch-norm prior', unit: '1', group: 'advanced', help: `none: ${preset}.` }),
  groupPrior: z
    .number()
    .min(0)
    .max(100)
    .nullable()
    .default(null)
    .register(ui, {
      title: 'Group consistency',
      unit: '1',
      group: 'advanced',
      help: `Pulls restarts towards their mean; wants several restarts. none: ${preset} (0.01 in see-through).`,
    }),
  registration: z.enum(['affine', 'none']).default('affine').register(ui, {
    title: 'Registration of the group',
    group: 'advanced',
    help: 'Lays the restarts on each other before their mean is taken, by a shift and an affine map. The paper matches features of a trained network, which is not at hand here.',
  }),
  start: z
    .enum(['attack', 'normal', 'uniform', 'zeros', 'patterned-4', 'patterned-16', 'mean'])
    .default('attack')
    .register(ui, { title: 'Start', group: 'advanced', help: 'mean: the mean public image.' }),
  box: z
    .enum(['attack', 'on', 'off'])
    .default('attack')
    .register(ui, { title: 'Keep pixels in range', group: 'advanced' }),
  space: z.enum(['attack', 'pixels', 'normalised']).default('attack').register(ui, {
    title: 'Space of the attack',
    group: 'advanced',
    help: 'normalised: of images divided by mean and deviation of the public images, which all but DLG and iDLG use.',
  }),
  restarts: whole(1, 64)
    .default(1)
    .register(ui, { title: 'Restarts', unit: '1', help: 'The one with the smallest distance of gradients is kept.' }),
  stopBelow: z.number().min(0).max(1).nullable().default(null).register(ui, {
    title: 'Stop below',
    unit: '1',
    group: 'advanced',
    help: 'none: 1e-6 for DLG and iDLG, never for the others.',
  }),
  stopEvery: whole(1, 1000)
    .default(1)
    .register(ui, { title: 'Look for it every', unit: 'steps', group: 'advanced', help: 'iDLG’s code: 10.' }),
  relative: z.boolean().default(true).register(ui, {
    title: 'Relative distance for small gradients',
    group: 'advanced',
    help: 'Squared distances are divided by the squared norm where that is below 1. The published code does not, and its thresholds then end attacks early.',
  }),
  adaptive: z.boolean().default(true).register(ui, {
    title: 'Attacker knows the defence',
    group: 'advanced',
    help: 'Pruned: compares only what was kept; clipped, noisy or quantised: compares directions; noisy: ten times the total variation.',
  }),
  labelBatches: whole(0, 1000).default(20).register(ui, {
    title: 'Batches for the label table',
    unit: 'batches',
    help: 'For each batch size, kind of batch and kind of network; 0: no table.',
  }),
  labelBatchSizes: z
    .array(whole(1, 1024))
    .min(1)
    .max(8)
    .default([1, 2, 8, 32])
    .register(ui, { title: 'Batch sizes of the label table', unit: 'images', group: 'advanced' }),
  closedForm: z.boolean().default(true).register(ui, {
    title: 'Closed forms',
    help: 'Recovery without optimisation where the network permits it: first linear layer (A1, A2), layer by layer (A4).',
  }),
  imprintBins: whole(0, 1024).default(64).register(ui, {
    title: 'Bins of the imprint',
    unit: '1',
    group: 'advanced',
    help: 'A3: a malicious server puts a layer in front of the network; 0: not tried.',
  }),
  imprintBatchSize: whole(1, 256)
    .default(16)
    .register(ui, { title: 'Batch of the imprint', unit: 'images', group: 'advanced' }),
  imprintMeasurement: z
    .enum(['mean', 'cosine', 'random'])
    .default('mean')
    .register(ui, { title: 'Measurement of the imprint', group: 'advanced' }),
  tradeoffSteps: whole(0, 100_000).default(0).register(ui, {
    title: 'Training steps of the trade-off',
    unit: 'steps',
    help: 'SGD steps on public images with each defence, then accuracy on the participant’s images; 0: no trade-off.',
  }),
  tradeoffBatchSize: whole(1, 1024)
    .default(32)
    .register(ui, { title: 'Batch of the trade-off', unit: 'images', group: 'advanced' }),
  tradeoffRate: z
    .number()
    .positive()
    .max(10)
    .default(0.1)
    .register(ui, { title: 'Learning rate of the trade-off', unit: '1', group: 'advanced' }),
  delta: z
    .number()
    .positive()
    .max(0.5)
    .default(1e-5)
    .register(ui, { title: 'δ of differential privacy', unit: '1', group: 'advanced' }),
  gallery: whole(2, 100_000).default(200).register(ui, {
    title: 'Gallery',
    unit: 'images',
    group: 'advanced',
    help: 'Images among which the true one has to be found.',
  }),
  history: whole(2, 24).default(8).register(ui, { title: 'Pictures of the way', unit: 'pictures', group: 'advanced' }),
  onlyPreflight: z.boolean().default(false).register(ui, {
    title: 'Only look ahead',
    help: 'Measures gradients, says what can be expected and how long it takes, and ends there.',
  }),
  lanes: lanesParam('Runs computed'),
  seed: seedParam(),
});
