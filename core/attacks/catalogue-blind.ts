import { z } from 'zod';
import { declareAttack, steps } from './catalogue-kinds.ts';

export const simba = declareAttack({
  id: 'simba',
  title: 'SimBA',
  paper: {
    title: 'Simple Black-box Adversarial Attacks',
    authors: 'Guo, Gardner, You, Wilson, Weinberger',
    venue: 'ICML',
    year: 2019,
  },
  norms: ['l2', 'linf'],
  access: 'score',
  aim: 'bounded',
  canTarget: true,
  isRandom: true,
  fewestClasses: 2,
  notes:
    'One pixel of one channel at a time, in a random order without repetition. Steps that leave the ball are not taken.',
  options: z.strictObject({
    queries: z.int().min(2).max(1_000_000).default(1000),
    /** What is added to a pixel or taken from it, as a share of the box. */
    stepSize: z.number().positive().max(1).default(0.2),
  }),
  cost: (options) => ({ forward: options.queries, backward: 0 }),
});

const decision = {
  access: 'decision',
  aim: 'minimal',
  canTarget: false,
  isRandom: true,
  fewestClasses: 2,
  notes: 'Starts from random noise that the model takes for another class, or from noise mixed with the image.',
} as const;

export const boundary = declareAttack({
  id: 'boundary',
  title: 'Boundary',
  paper: {
    title: 'Decision-Based Adversarial Attacks: Reliable Attacks Against Black-Box Machine Learning Models',
    authors: 'Brendel, Rauber, Bethge',
    venue: 'ICLR',
    year: 2018,
  },
  norms: ['l2'],
  ...decision,
  options: z.strictObject({
    steps: steps(1000),
    /** Step along the sphere, as a share of the distance; follows its successes. */
    sphericalStep: z.number().positive().max(1).default(0.1),
    /** Step towards the image, as a share of the distance; follows its successes. */
    sourceStep: z.number().positive().max(1).default(0.1),
  }),
  cost: (options) => ({ forward: 1.2 * options.steps + 20, backward: 0 }),
});

export const hopSkipJump = declareAttack({
  id: 'hop-skip-jump',
  title: 'HopSkipJump',
  paper: {
    title: 'HopSkipJumpAttack: A Query-Efficient Decision-Based Attack',
    authors: 'Chen, Jordan, Wainwright',
    venue: 'IEEE S&P',
    year: 2020,
  },
  norms: ['l2', 'linf'],
  ...decision,
  options: z.strictObject({
    iterations: steps(20),
    /** Looks for the first gradient; grows with the root of the iteration. */
    firstLooks: z.int().min(2).max(10_000).default(100),
    mostLooks: z.int().min(2).max(100_000).default(1000),
  }),
  cost: ({ iterations, firstLooks, mostLooks }) => {
    let forward = 20;
    for (let t = 1; t <= iterations; t++) forward += Math.min(firstLooks * Math.sqrt(t), mostLooks) + 25;
    return { forward, backward: 0 };
  },
});

export const transfer = declareAttack({
  id: 'transfer',
  title: 'Transfer from other models',
  paper: {
    title: 'Transferability in Machine Learning: from Phenomena to Black-Box Attacks using Adversarial Samples',
    authors: 'Papernot, McDaniel, Goodfellow',
    venue: 'arXiv:1605.07277',
    year: 2016,
  },
  norms: ['linf'],
  access: 'transfer',
  aim: 'bounded',
  canTarget: true,
  isRandom: true,
  fewestClasses: 2,
  notes:
    'From one model, or from several attacked as one (the mean of their logits, probabilities or losses); with sources one after the other an image falls if any of them brings it down. The last image of a source counts.',
  options: z.strictObject({
    /** What is run on the source. */
    method: z.enum(['fgsm', 'pgd', 'mi-fgsm', 'ni-fgsm', 'di-fgsm', 'ti-fgsm', 'si-fgsm']).default('mi-fgsm'),
    steps: steps(10),
  }),
  cost: () => ({ forward: 1, backward: 0 }),
});

export const noise = declareAttack({
  id: 'noise',
  title: 'Random noise',
  paper: {
    title: 'Explaining and Harnessing Adversarial Examples',
    authors: 'Goodfellow, Shlens, Szegedy',
    venue: 'ICLR',
    year: 2015,
  },
  norms: ['linf', 'l2', 'l1'],
  access: 'none',
  aim: 'bounded',
  canTarget: true,
  isRandom: true,
  fewestClasses: 2,
  isControl: true,
  options: z.strictObject({
    /** Signs: every pixel moves by epsilon (linf). Uniform: anywhere in the ball. L2 and l1: a normal direction, scaled. */
    kind: z.enum(['signs', 'uniform']).default('signs'),
    /** An image falls if any draw fools the model. */
    draws: z.int().min(1).max(10_000).default(1),
  }),
  cost: (options) => ({ forward: options.draws, backward: 0 }),
});
