import type { AttackSettings } from './attack-settings.ts';
import type { PixelSpace } from './objective.ts';

/** The published attacks, with what has to be known in each case left out. */
export const presetIds = ['dlg', 'idlg', 'inverting-gradients', 'see-through', 'modern', 'wei'] as const;
export type PresetId = (typeof presetIds)[number];

export interface PresetCase {
  readonly batchSize: number;
  /** Recovered or known; DLG takes none. */
  readonly labels: readonly number[];
  readonly seed: number;
  /** For attacks that move in the space of normalised images. */
  readonly space?: PixelSpace;
}

const plain = { start: 'normal', restarts: 1, keep: 'best' } as const;
const l2 = { kind: 'l2' } as const;
const cosine = { kind: 'cosine' } as const;

/**
 * Settings of a published attack. `dlg` Zhu et al. 2019; `idlg` Zhao et al. 2020, stops below 1e-6, looked at every tenth
 * step; `inverting-gradients` Geiping et al. 2020; `see-through` Yin et al. 2021 as the breaching library has it, with the
 * paper's group consistency where there are several restarts; `modern`
 * and `wei` that library's presets of these names. Its euclidean distance is half the squared one.
 */
export function presetSettings(id: PresetId, { batchSize, labels, seed, space }: PresetCase): AttackSettings {
  const shared = { ...plain, batchSize, labels, seed };
  const spaced = space ? { ...shared, space } : shared;
  switch (id) {
    case 'dlg':
      return { ...shared, ...papers, labels: 'joint' };
    case 'idlg':
      return { ...shared, ...papers };
    case 'inverting-gradients':
      return {
        ...spaced,
        distance: cosine,
        priors: { totalVariation: 1e-4 },
        optimiser: 'signed-adam',
        learningRate: 0.1,
        schedule: 'steps',
        steps: 4800,
        isBoxed: true,
      };
    case 'see-through':
      return {
        ...spaced,
        distance: l2,
        scale: 0.5e-4,
        priors: { totalVariation: 1e-4, squaredNorm: 1e-6, batchNorm: 0.1, group: 0.01 },
        optimiser: 'adam',
        learningRate: 0.1,
        schedule: 'cosine',
        warmupSteps: 50,
        steps: 20_000,
        isBoxed: true,
        noise: 0.01,
      };
    case 'modern':
      return {
        ...spaced,
        start: 'patterned-4',
        distance: cosine,
        priors: { opponentVariation: 0.1, features: 0.1 },
        optimiser: 'soft-signed-adam',
        learningRate: 0.1,
        schedule: 'cosine',
        warmupSteps: 50,
        steps: 24_000,
        isBoxed: true,
      };
    case 'wei':
      return {
        ...spaced,
        start: 'patterned-16',
        distance: { kind: 'l2' },
        scale: 0.5,
        optimiser: 'lbfgs',
        learningRate: 1,
        steps: 300,
        isBoxed: true,
      };
  }
}

const papers = {
  distance: l2,
  optimiser: 'lbfgs',
  learningRate: 1,
  steps: 300,
  stopBelow: 1e-6,
  stopEvery: 10,
  isBoxed: false,
} as const;
