import { WorkbenchError } from '../base/errors.ts';
import type { Attack, Implementation } from './attack.ts';
import { adaptiveAttacks } from './apgd.ts';
import { constantAttacks } from './carlini-wagner.ts';
import { decisionAttacks } from './decision.ts';
import { deepFoolAttack } from './deepfool.ts';
import { boundaryProjections } from './fab.ts';
import { jsmaAttack } from './jsma.ts';
import { normAttacks } from './norm-adaptation.ts';
import { simbaAttack } from './simba.ts';
import { sparseAttacks } from './sparse-steps.ts';
import { squareAttacks } from './square.ts';
import { stepAttacks } from './step-attacks.ts';
import { blindAttacks } from './transfer.ts';

/** Every attack that can be run. A new one adds its declaration to catalogue.ts and its implementation here. */
export const implementations: readonly Implementation[] = [
  ...stepAttacks,
  ...adaptiveAttacks,
  ...boundaryProjections,
  ...squareAttacks,
  ...sparseAttacks,
  deepFoolAttack,
  ...constantAttacks,
  ...normAttacks,
  jsmaAttack,
  simbaAttack,
  ...decisionAttacks,
  ...blindAttacks,
];

/** The attack with this id, with options settled. @throws PARAM_INVALID */
export function prepareAttack(id: string, options: unknown = {}): Attack {
  const known = implementations.find(({ declaration }) => declaration.id === id);
  if (known) return known.prepare(options);
  throw new WorkbenchError('PARAM_INVALID', `There is no attack "${id}"`, {
    hint: `Attacks: ${implementations.map(({ declaration }) => declaration.id).join(', ')}.`,
  });
}
