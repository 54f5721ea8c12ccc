import { WorkbenchError } from '../base/errors.ts';
import type { Attack, Implementation } from './attack.ts';
import { adaptiveAttacks } from './apgd.ts';
import { stepAttacks } from './step-attacks.ts';

/** Every attack that can be run. A new one adds its declaration to catalogue.ts and its implementation here. */
export const implementations: readonly Implementation[] = [...stepAttacks, ...adaptiveAttacks];

/** The attack with this id, with options settled. @throws PARAM_INVALID */
export function prepareAttack(id: string, options: unknown = {}): Attack {
  const known = implementations.find(({ declaration }) => declaration.id === id);
  if (known) return known.prepare(options);
  throw new WorkbenchError('PARAM_INVALID', `There is no attack "${id}"`, {
    hint: `Attacks: ${implementations.map(({ declaration }) => declaration.id).join(', ')}.`,
  });
}
