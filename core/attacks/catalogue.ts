import type { AttackDeclaration } from './catalogue-kinds.ts';
import { apgdCe, apgdDlr, apgdT } from './catalogue-auto.ts';
import { bim, diFgsm, fgsm, miFgsm, niFgsm, pgd, rfgsm, siFgsm, tiFgsm } from './catalogue-steps.ts';

/** Every attack's declaration, in the order in which lists show them. Pure: forms, reports and specs may import it. */
export const attackCatalogue: readonly AttackDeclaration[] = [
  fgsm,
  rfgsm,
  bim,
  pgd,
  miFgsm,
  niFgsm,
  diFgsm,
  tiFgsm,
  siFgsm,
  apgdCe,
  apgdDlr,
  apgdT,
];
