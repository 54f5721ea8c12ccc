import { z } from 'zod';
import { declareAttack, restarts, steps } from './catalogue-kinds.ts';

const autoAttack = {
  title: 'Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks',
  authors: 'Croce, Hein',
  venue: 'ICML',
  year: 2020,
};
const whiteBox = { access: 'white-box', aim: 'bounded' } as const;
const rho = z.number().min(0).max(1).default(0.75);
/** The ranks 2 to this + 1 of the clean logits. */
const targetClasses = z.int().min(1).max(1000).default(9);
const each = (count: number): { forward: number; backward: number } => ({ forward: count, backward: count });

export const apgdCe = declareAttack({
  id: 'apgd-ce',
  title: 'APGD-CE',
  paper: autoAttack,
  norms: ['linf', 'l2'],
  ...whiteBox,
  canTarget: true,
  isRandom: true,
  fewestClasses: 2,
  options: z.strictObject({ steps: steps(100), restarts: restarts(), rho }),
  cost: (options) => each((options.steps + 1) * options.restarts),
});

export const apgdDlr = declareAttack({
  ...apgdCe,
  id: 'apgd-dlr',
  title: 'APGD-DLR',
  fewestClasses: 3,
});

export const apgdT = declareAttack({
  id: 'apgd-t',
  title: 'APGD-T',
  paper: autoAttack,
  norms: ['linf', 'l2'],
  ...whiteBox,
  canTarget: false,
  isRandom: true,
  fewestClasses: 4,
  notes: 'Targets are the classes that the clean image comes closest to; with fewer classes than targets, all of them.',
  options: z.strictObject({ steps: steps(100), restarts: restarts(), rho, targetClasses }),
  cost: (options, classes) =>
    each((options.steps + 1) * options.restarts * Math.min(options.targetClasses, classes - 1)),
});

const fabPaper = {
  title: 'Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary Attack',
  authors: 'Croce, Hein',
  venue: 'ICML',
  year: 2020,
};
const fabOptions = {
  steps: steps(100),
  restarts: restarts(),
  /** How much of the way is taken from the clean image, at most. */
  alphaMax: z.number().positive().max(1).default(0.1),
  /** Overshoot. */
  eta: z.number().min(1).max(2).default(1.05),
  /** Step back towards the clean image after a success. */
  beta: z.number().positive().max(1).default(0.9),
};

export const fab = declareAttack({
  id: 'fab',
  title: 'FAB',
  paper: fabPaper,
  norms: ['linf', 'l2', 'l1'],
  ...whiteBox,
  canTarget: false,
  isRandom: true,
  fewestClasses: 2,
  notes: 'An image is left alone once what was found lies in the ball: a smaller one would change no verdict.',
  options: z.strictObject(fabOptions),
  cost: (options, classes) => ({
    forward: options.steps * options.restarts * classes,
    backward: options.steps * options.restarts * (classes - 1),
  }),
});

export const fabT = declareAttack({
  ...fab,
  id: 'fab-t',
  title: 'FAB-T',
  fewestClasses: 2,
  options: z.strictObject({ ...fabOptions, targetClasses }),
  cost: (options, classes) => {
    const count = options.steps * options.restarts * Math.min(options.targetClasses, classes - 1);
    return { forward: 2 * count, backward: count };
  },
});

export const square = declareAttack({
  id: 'square',
  title: 'Square',
  paper: {
    title: 'Square Attack: a Query-Efficient Black-Box Adversarial Attack via Random Search',
    authors: 'Andriushchenko, Croce, Flammarion, Hein',
    venue: 'ECCV',
    year: 2020,
  },
  norms: ['linf', 'l2'],
  access: 'score',
  aim: 'bounded',
  canTarget: true,
  isRandom: true,
  fewestClasses: 2,
  notes:
    'Each image has its own squares, and they reach the last row and column, as in the paper; the released code draws one square for a whole batch and leaves those out.',
  options: z.strictObject({
    queries: z.int().min(1).max(1_000_000).default(5000),
    /** Share of the pixels in the first square: 0.8 in AutoAttack. */
    firstShare: z.number().positive().max(1).default(0.8),
    restarts: restarts(),
    /** Fit the schedule of sizes to the number of queries; AutoAttack does not. */
    rescalesSchedule: z.boolean().default(false),
    /** Squares may cover the last row and column of pixels, as in the paper; never, as in the released code. */
    reachesEdges: z.boolean().default(true),
  }),
  cost: (options) => ({ forward: (options.queries + 1) * options.restarts, backward: 0 }),
});

export const slide = declareAttack({
  id: 'pgd-l1',
  title: 'PGD in l1 (SLIDE)',
  paper: {
    title: 'Adversarial Training and Robustness for Multiple Perturbations',
    authors: 'Tramèr, Boneh',
    venue: 'NeurIPS',
    year: 2019,
  },
  norms: ['l1'],
  ...whiteBox,
  canTarget: true,
  isRandom: true,
  fewestClasses: 2,
  notes: 'Projected on ball and box together, which the paper does one after the other.',
  options: z.strictObject({
    steps: steps(40),
    restarts: restarts(),
    /** Step as a share of epsilon. */
    relativeStep: z.number().positive().max(1).default(0.1),
    /** Share of the pixels that a step moves. */
    density: z.number().positive().max(1).default(0.01),
  }),
  cost: (options) => each((options.steps + 1) * options.restarts),
});

export const apgdL1 = declareAttack({
  id: 'apgd-l1',
  title: 'APGD-L1',
  paper: {
    title: 'Mind the Box: l1-APGD for Sparse Adversarial Attacks on Image Classifiers',
    authors: 'Croce, Hein',
    venue: 'ICML',
    year: 2021,
  },
  norms: ['l1'],
  ...whiteBox,
  canTarget: true,
  isRandom: true,
  fewestClasses: 2,
  notes: 'Cross-entropy; radii of three, two and one times epsilon, one after the other.',
  options: z.strictObject({ steps: steps(100), restarts: restarts() }),
  cost: (options) => each((options.steps + 3) * options.restarts),
});
