import { z } from 'zod';
import { declareAttack, steps } from './catalogue-kinds.ts';

const whiteBox = { access: 'white-box', aim: 'minimal', fewestClasses: 2, isRandom: false } as const;
const confidence = z.number().min(0).max(100).default(0);
const each = (count: number): { forward: number; backward: number } => ({ forward: count, backward: count });
const binarySearch = {
  rounds: z.int().min(1).max(20).default(5),
  steps: steps(200),
  learningRate: z.number().positive().max(1).default(0.01),
  /** c at the start of the search. */
  firstConstant: z.number().positive().default(0.1),
  /** κ: how far the wrong class has to be ahead. */
  confidence,
};

export const deepFool = declareAttack({
  id: 'deepfool',
  title: 'DeepFool',
  paper: {
    title: 'DeepFool: a Simple and Accurate Method to Fool Deep Neural Networks',
    authors: 'Moosavi-Dezfooli, Fawzi, Frossard',
    venue: 'CVPR',
    year: 2016,
  },
  norms: ['l2', 'linf'],
  ...whiteBox,
  canTarget: false,
  notes:
    'The overshoot is on the whole perturbation, as in the paper; each step is the smallest that stays in the box, which the paper leaves aside. torchattacks overshoots every step and clips.',
  options: z.strictObject({
    steps: steps(50),
    /** Classes that come into question: the ones the clean image is closest to. */
    candidates: z.int().min(2).max(1000).default(10),
    overshoot: z.number().min(0).max(1).default(0.02),
    /** Steps of FAB from what the paper's steps found (ours), because they go far around where the box is near; 0: none. */
    polish: z.int().min(0).max(100).default(15),
  }),
  cost: (options, classes) => {
    const gradients = options.steps * (Math.min(options.candidates, classes) - 1);
    return { forward: gradients + options.steps, backward: gradients };
  },
});

export const carliniWagner = declareAttack({
  id: 'carlini-wagner',
  title: 'Carlini–Wagner L2',
  paper: {
    title: 'Towards Evaluating the Robustness of Neural Networks',
    authors: 'Carlini, Wagner',
    venue: 'IEEE S&P',
    year: 2017,
  },
  norms: ['l2'],
  ...whiteBox,
  canTarget: true,
  notes:
    'Adam and a search for the constant, as released, whose 9 rounds of 10,000 steps of 0.01 from c = 0.001 take longer than these defaults and find perturbations of the same size.',
  options: z.strictObject({ ...binarySearch, learningRate: z.number().positive().max(1).default(0.1) }),
  cost: (options) => each(options.rounds * options.steps),
});

export const elasticNet = declareAttack({
  id: 'ead',
  title: 'EAD (elastic net)',
  paper: {
    title: 'EAD: Elastic-Net Attacks to Deep Neural Networks via Adversarial Examples',
    authors: 'Chen, Sharma, Zhang, Yi, Hsieh',
    venue: 'AAAI',
    year: 2018,
  },
  norms: ['l1', 'l2'],
  ...whiteBox,
  canTarget: true,
  notes: 'FISTA; the smallest in the norm that is asked for is kept (decision rule L1 for l1).',
  options: z.strictObject({
    ...binarySearch,
    /** β, the weight of the l1 norm. */
    sparsity: z.number().min(0).max(1).default(0.01),
  }),
  cost: (options) => each(options.rounds * options.steps),
});

export const ddn = declareAttack({
  id: 'ddn',
  title: 'DDN',
  paper: {
    title: 'Decoupling Direction and Norm for Efficient Gradient-Based L2 Adversarial Attacks and Defenses',
    authors: 'Rony, Hafemann, Oliveira, Ben Ayed, Sabourin, Granger',
    venue: 'CVPR',
    year: 2019,
  },
  norms: ['l2'],
  ...whiteBox,
  canTarget: true,
  options: z.strictObject({
    steps: steps(100),
    /** Radius at the start. */
    firstNorm: z.number().positive().default(1),
    /** Share by which the radius changes at each step. */
    gamma: z.number().positive().max(0.5).default(0.05),
  }),
  cost: (options) => each(options.steps),
});

export const fmn = declareAttack({
  id: 'fmn',
  title: 'FMN',
  paper: {
    title: 'Fast Minimum-Norm Adversarial Attacks through Adaptive Norm Constraints',
    authors: 'Pintor, Roli, Brendel, Biggio',
    venue: 'NeurIPS',
    year: 2021,
  },
  norms: ['l2', 'linf', 'l1'],
  ...whiteBox,
  canTarget: true,
  notes:
    'Before its first success it goes a thousandth farther than the boundary seems to be, which the paper does not: on the boundary itself rounding decides.',
  options: z.strictObject({
    steps: steps(100),
    /** Step size at the start; falls to a hundredth along a cosine. */
    stepSize: z.number().positive().default(1),
    gamma: z.number().positive().max(0.5).default(0.05),
  }),
  cost: (options) => each(options.steps),
});

export const jsma = declareAttack({
  id: 'jsma',
  title: 'JSMA',
  paper: {
    title: 'The Limitations of Deep Learning in Adversarial Settings',
    authors: 'Papernot, McDaniel, Jha, Fredrikson, Celik, Swami',
    venue: 'IEEE EuroS&P',
    year: 2016,
  },
  norms: ['l0'],
  ...whiteBox,
  canTarget: true,
  notes:
    'Pairs of pixels by the saliency of the whole Jacobian. Without a target it goes for the class that the clean image is closest to, and any wrong class counts.',
  options: z.strictObject({
    /** θ: what is added to a pixel at once, as a share of the box; negative to darken. */
    theta: z.number().min(-1).max(1).default(1),
    /** γ: share of the pixels that may change. */
    gamma: z.number().positive().max(1).default(0.145),
    /** Pixels among which pairs are looked for, the most salient ones first. */
    searched: z.int().min(2).max(5000).default(800),
  }),
  cost: () => each(400),
});
