import { WorkbenchError } from '../base/errors.ts';
import type { Attack } from './attack.ts';
import type { Norm } from './catalogue-kinds.ts';
import { prepareAttack } from './registry.ts';

/** AutoAttack as published (Croce & Hein 2020, section 5; the versions of its released code), and one that is ours. */
export type EnsembleName = 'standard' | 'plus' | 'rand' | 'lite';

export interface Ensemble {
  readonly attacks: readonly Attack[];
  /** What was left away or changed, and why: an ensemble with reasons is not AutoAttack's. */
  readonly reasons: readonly string[];
}

/**
 * The attacks of an ensemble, in their order; each is to attack what the ones before left standing.
 * - `standard`: APGD-CE, APGD-T with 9 targets, FAB-T with 9 targets, Square with 5,000 queries; one restart each
 * - `plus`: APGD-CE and APGD-DLR with 5 restarts, FAB with 5, Square, APGD-T, FAB-T
 * - `rand`: APGD-CE and APGD-DLR, for models whose output is random, with gradients that are averages over 20 looks
 * - `lite`: ours, standard without FAB-T and with 1,000 queries: its robust accuracy is no lower than AutoAttack's
 *
 * `looks` are those of the victim's random defence: files with random operators of their own are refused, so that without a
 * defence one look says the same as 20.
 */
export function ensemble(name: EnsembleName, norm: Norm, classes: number, looks = 1): Ensemble {
  if (norm !== 'linf' && norm !== 'l2') {
    throw new WorkbenchError('PARAM_INVALID', `AutoAttack: expected the norm linf or l2, got ${norm}`, {
      hint: 'For l1 use FAB-T, FMN and EAD.',
    });
  }
  const targetClasses = Math.min(9, classes - 1);
  const reasons: string[] = [];
  if (targetClasses < 9) reasons.push(`There are ${classes} classes, so that only ${targetClasses} can be targets.`);
  const wanted: readonly (readonly [id: string, options: object])[] = {
    standard: [
      ['apgd-ce', {}],
      ['apgd-t', { targetClasses }],
      ['fab-t', { targetClasses }],
      ['square', {}],
    ] as const,
    plus: [
      ['apgd-ce', { restarts: 5 }],
      ['apgd-dlr', { restarts: 5 }],
      ['fab', { restarts: 5 }],
      ['square', {}],
      ['apgd-t', { targetClasses }],
      ['fab-t', { targetClasses }],
    ] as const,
    rand: [
      ['apgd-ce', {}],
      ['apgd-dlr', {}],
    ] as const,
    lite: [
      ['apgd-ce', {}],
      ['apgd-t', { targetClasses }],
      ['square', { queries: 1000 }],
    ] as const,
  }[name];
  if (name === 'rand' && looks === 1) reasons.push('Nothing is random here: gradients are of one look instead of 20.');
  else if (name === 'rand' && looks !== 20) reasons.push(`Gradients are averages over ${looks} looks instead of 20.`);
  else if (name !== 'rand' && looks > 1) reasons.push('The model is random: the published ensemble for it is rand.');
  if (name === 'lite') reasons.push('This is not AutoAttack: FAB-T is left away and Square asks 1,000 times.');
  const attacks = wanted.flatMap(([id, options]): Attack[] => {
    const attack = prepareAttack(id, options);
    const { title, fewestClasses } = attack.declaration;
    if (classes >= fewestClasses) return [attack];
    reasons.push(`${title} is left away: its loss needs ${fewestClasses} classes, the model has ${classes}.`);
    return [];
  });
  return { attacks, reasons };
}
