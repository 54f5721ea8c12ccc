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
