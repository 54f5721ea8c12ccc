import { z } from 'zod';
import { declareAttack, restarts, steps } from './catalogue-kinds.ts';

const goodfellow = {
  title: 'Explaining and Harnessing Adversarial Examples',
  authors: 'Goodfellow, Shlens, Szegedy',
  venue: 'ICLR',
  year: 2015,
};
const whiteBox = { access: 'white-box', aim: 'bounded', canTarget: true, fewestClasses: 2 } as const;
/** Share of epsilon. */
const step = (share: number): z.ZodDefault<z.ZodNumber> => z.number().positive().max(10).default(share);
/** Steps are shares of epsilon unless the step is given in the units of the pixels. */
const absoluteStep = z.number().positive().optional();
const each = (count: number): { forward: number; backward: number } => ({ forward: count + 1, backward: count });
const stopsAtSuccess = z.boolean().default(true);
/** What Kurakin's rule comes to at an epsilon of 0.3 of the box, as an estimate. */
const mostPaperSteps = 80;

export const fgsm = declareAttack({
  id: 'fgsm',
  title: 'FGSM',
  paper: goodfellow,
  norms: ['linf', 'l2'],
  ...whiteBox,
  isRandom: false,
  options: z.strictObject({}),
  cost: () => each(1),
});

export const rfgsm = declareAttack({
  id: 'rfgsm',
  title: 'R-FGSM',
  paper: {
    title: 'Ensemble Adversarial Training: Attacks and Defenses',
    authors: 'Tramèr, Kurakin, Papernot, Goodfellow, Boneh, McDaniel',
    venue: 'ICLR',
    year: 2018,
  },
  norms: ['linf'],
  ...whiteBox,
  isRandom: true,
  notes: 'One random step of the signs, then one gradient step, as in the paper; torchattacks iterates it.',
  options: z.strictObject({
    /** Share of epsilon that the random step takes. */
    randomShare: z.number().positive().max(1).default(0.5),
  }),
  cost: () => each(1),
});

export const bim = declareAttack({
  id: 'bim',
  title: 'I-FGSM (BIM)',
  paper: {
    title: 'Adversarial Examples in the Physical World',
    authors: 'Kurakin, Goodfellow, Bengio',
    venue: 'ICLR Workshop',
    year: 2017,
  },
  norms: ['linf', 'l2'],
  ...whiteBox,
  isRandom: false,
  notes:
    'Steps and their number as Foolbox has them; the paper’s rule hangs on epsilon and takes steps of 1/255 of the box.',
  options: z.strictObject({
    steps: steps(10),
    relativeStep: step(0.2),
    stepSize: absoluteStep,
    stopsAtSuccess,
    /** In linf min(255 ε + 4, 1.25 · 255 ε) steps of 1/255 of the box, instead of the steps above. */
    asInPaper: z.boolean().default(false),
  }),
  cost: (options) => each(options.asInPaper ? mostPaperSteps : options.steps),
});

export const pgd = declareAttack({
  id: 'pgd',
  title: 'PGD',
  paper: {
    title: 'Towards Deep Learning Models Resistant to Adversarial Attacks',
    authors: 'Madry, Makelov, Schmidt, Tsipras, Vladu',
    venue: 'ICLR',
    year: 2018,
  },
  norms: ['linf', 'l2'],
  ...whiteBox,
  isRandom: true,
  notes:
    'A success counts at any step. In linf the search of an image ends when it comes back to where it was: what follows would repeat itself.',
  options: z.strictObject({
    steps: steps(40),
    /** As a share of epsilon; 1/30 is the paper's 0.01 of 0.3. */
    relativeStep: step(0.1),
    stepSize: absoluteStep,
    restarts: restarts(),
    randomStart: z.boolean().default(true),
    stopsAtSuccess,
    detectsCycles: z.boolean().default(true),
  }),
  cost: (options) => each(options.steps * options.restarts),
});

const momentum = {
  /** μ. */
  decay: z.number().min(0).max(2).default(1),
  steps: steps(10),
  relativeStep: step(0.1),
  stepSize: absoluteStep,
};

export const miFgsm = declareAttack({
  id: 'mi-fgsm',
  title: 'MI-FGSM',
  paper: {
    title: 'Boosting Adversarial Attacks with Momentum',
    authors: 'Dong, Liao, Pang, Su, Zhu, Hu, Li',
    venue: 'CVPR',
    year: 2018,
  },
  norms: ['linf'],
  ...whiteBox,
  isRandom: false,
  notes: 'Gradients are divided by their l1 norm, as in the paper; Foolbox sums their signs.',
  options: z.strictObject({ ...momentum, stopsAtSuccess }),
  cost: (options) => each(options.steps),
});

const lin = {
  title: 'Nesterov Accelerated Gradient and Scale Invariance for Adversarial Attacks',
  authors: 'Lin, Song, He, Wang, Hopcroft',
  venue: 'ICLR',
  year: 2020,
};
/** Made to transfer: only the last image counts. */
const transferable = { norms: ['linf'], ...whiteBox } as const;

export const niFgsm = declareAttack({
  id: 'ni-fgsm',
  title: 'NI-FGSM',
  paper: lin,
  ...transferable,
  isRandom: false,
  options: z.strictObject(momentum),
  cost: (options) => each(options.steps),
});

export const siFgsm = declareAttack({
  id: 'si-fgsm',
  title: 'SI-NI-FGSM',
  paper: lin,
  ...transferable,
  isRandom: false,
  notes: 'The scales are 1, 1/2, 1/4 …, as in the paper; torchattacks divides again what it has divided before.',
  options: z.strictObject({ ...momentum, scales: z.int().min(1).max(10).default(5) }),
  cost: (options) => each(options.steps * options.scales),
});

export const diFgsm = declareAttack({
  id: 'di-fgsm',
  title: 'DI²-FGSM',
  paper: {
    title: 'Improving Transferability of Adversarial Examples with Input Diversity',
    authors: 'Xie, Zhang, Zhou, Bai, Wang, Ren, Yuille',
    venue: 'CVPR',
    year: 2019,
  },
  ...transferable,
  isRandom: true,
  notes: 'The random shrinking and padding is a bilinear view with a zero border, of the size that the model takes.',
  options: z.strictObject({
    ...momentum,
    /** Share of the steps that see a view. */
    probability: z.number().min(0).max(1).default(0.5),
    /** Smallest size of the image in its view, as a share. */
    smallest: z.number().positive().max(1).default(0.9),
  }),
  cost: (options) => each(options.steps),
});

export const tiFgsm = declareAttack({
  id: 'ti-fgsm',
  title: 'TI-FGSM',
  paper: {
    title: 'Evading Defenses to Transferable Adversarial Examples by Translation-Invariant Attacks',
    authors: 'Dong, Pang, Su, Zhu',
    venue: 'CVPR',
    year: 2019,
  },
  ...transferable,
  isRandom: false,
  notes: 'The paper’s kernel of 15 is for 299 × 299 pixels; the default suits small images.',
  options: z.strictObject({
    ...momentum,
    kernelSize: z
      .int()
      .min(1)
      .max(31)
      .refine((size) => size % 2 === 1, 'expected an odd number')
      .default(5),
  }),
  cost: (options) => each(options.steps),
});
