import type { AttackDeclaration } from './catalogue-kinds.ts';
import { apgdCe, apgdDlr, apgdL1, apgdT, fab, fabT, slide, square } from './catalogue-auto.ts';
import { boundary, hopSkipJump, noise, simba, transfer } from './catalogue-blind.ts';
import { carliniWagner, ddn, deepFool, elasticNet, fmn, jsma } from './catalogue-minimal.ts';
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
  fab,
  fabT,
  square,
  slide,
  apgdL1,
  deepFool,
  carliniWagner,
  elasticNet,
  ddn,
  fmn,
  jsma,
  simba,
  boundary,
  hopSkipJump,
  transfer,
  noise,
];
