import type { AttackSettings } from './attack-settings.ts';
import type { Defence } from './defence.ts';

/** Gradient evaluations that an outer step of L-BFGS may take. */
const evaluationsOfStep = 20;

/**
 * The attack of somebody who knows the defence: pruned gradients are compared where something was kept, clipped ones by
 * their direction, noisy and quantised ones by direction with signed Adam and a total variation, ten times as much under
 * noise (Geiping et al. 2020 with the evaluations that `settings` may take). undefined where knowing changes nothing.
 */
export function adaptedSettings(settings: AttackSettings, defence: Defence): AttackSettings | undefined {
  const { distance, optimiser } = settings;
  switch (defence.kind) {
    case 'none':
    case 'float16':
    case 'bfloat16':
      return undefined;
    case 'prune':
      return { ...settings, distance: { ...distance, onlyNonZero: true } };
    case 'clip':
      return distance.kind === 'cosine' ? undefined : { ...settings, distance: { ...distance, kind: 'cosine' } };
    case 'gaussian':
    case 'laplace':
    case 'dp-sgd':
      return byDirection(settings, 10);
    case 'int8':
    case 'sign':
      return optimiser === 'signed-adam' && distance.kind === 'cosine' ? undefined : byDirection(settings, 1);
  }
}

function byDirection(settings: AttackSettings, factor: number): AttackSettings {
  const { optimiser, steps, priors = {}, distance } = settings;
  const totalVariation = factor * (priors.totalVariation ?? 1e-4);
  const plain = {
    ...settings,
    distance: { ...distance, kind: 'cosine' },
    scale: 1,
    priors: { ...priors, totalVariation },
  } as const;
  if (!optimiser.startsWith('lbfgs')) return plain;
  return {
    ...plain,
    optimiser: 'signed-adam',
    learningRate: 0.1,
    schedule: 'steps',
    steps: steps * evaluationsOfStep,
    stopBelow: 0,
    isBoxed: true,
  };
}
