import type { OpenedModel } from '../../train/models.ts';
import type { ParamsOf } from '../define.ts';
import type { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;
type Norm = Params['norm'];
export type Preset = Exclude<Params['preset'], 'auto'>;

interface Budget {
  readonly epsilons: Readonly<Record<Norm, readonly number[]>>;
  /** Of universal perturbations, in linf. */
  readonly universalEpsilon: number;
  /** Step of fixed-step attacks at linf, in pixel units; absent: the attack's own share of epsilon. */
  readonly pgdStep?: number;
  readonly pgdSteps: number;
}

/** attacks.md section 4; pixels in [0, 1]. l1 balls of about the volume that the l2 ones have are our choice. */
const budgets: Readonly<Record<Preset, Budget>> = {
  mnist: {
    epsilons: { linf: [0.1, 0.3], l2: [1, 2], l1: [5, 10] },
    universalEpsilon: 0.2,
    pgdStep: 0.01,
    pgdSteps: 40,
  },
  'fashion-mnist': {
    epsilons: { linf: [0.05, 0.1], l2: [0.5, 1.5], l1: [3, 8] },
    universalEpsilon: 0.1,
    pgdStep: 0.01,
    pgdSteps: 40,
  },
  cifar: {
    epsilons: { linf: [2 / 255, 8 / 255], l2: [0.25, 0.5], l1: [6, 12] },
    universalEpsilon: 10 / 255,
    pgdStep: 2 / 255,
    pgdSteps: 50,
  },
  imagenet: {
    epsilons: { linf: [1 / 255, 4 / 255], l2: [1, 3], l1: [30, 60] },
    universalEpsilon: 10 / 255,
    pgdStep: 1 / 255,
    pgdSteps: 20,
  },
};

export interface Settled {
  readonly preset: Preset;
  /** Ascending, without repeats. */
  readonly epsilons: readonly number[];
  readonly universalEpsilon: number;
  /** attack id → options, those of the user over those of the preset. */
  readonly options: Params['attackOptions'];
}

/** Budgets by the kind of data; what the user said comes first. Shares of the pixel range become pixel units. */
export function settleBudget(params: Params, model: Pick<OpenedModel, 'shape' | 'title'>, dataTitle: string): Settled {
  const preset = params.preset === 'auto' ? guessPreset(model, dataTitle) : params.preset;
  const budget = budgets[preset];
  const width = params.high - params.low;
  const given = params.epsilons.length > 0 ? params.epsilons : budget.epsilons[params.norm].map((each) => each * width);
  const pgd =
    params.norm === 'linf' && budget.pgdStep !== undefined
      ? { steps: budget.pgdSteps, stepSize: budget.pgdStep * width }
      : { steps: budget.pgdSteps };
  return {
    preset,
    epsilons: [...new Set(given)].sort((a, b) => a - b),
    universalEpsilon: params.universalEpsilon > 0 ? params.universalEpsilon : budget.universalEpsilon * width,
    options: { ...params.attackOptions, pgd: { ...pgd, ...params.attackOptions['pgd'] } },
  };
}

/** By the size of the images; Fashion-MNIST is told from MNIST by the names of the files. */
function guessPreset({ shape, title }: Pick<OpenedModel, 'shape' | 'title'>, dataTitle: string): Preset {
  const [, height, width] = shape;
  if (Math.max(height, width) > 64) return 'imagenet';
  if (shape[0] === 3) return 'cifar';
  return /fashion|fmnist/i.test(`${title} ${dataTitle}`) ? 'fashion-mnist' : 'mnist';
}
