import type { RuleCase } from './case.ts';
import { elementwiseCases } from './cases/elementwise.ts';
import { indexingCases } from './cases/indexing.ts';
import { layoutCases } from './cases/layout.ts';
import { linearCases } from './cases/linear.ts';
import { normalisationCases } from './cases/normalisation.ts';
import { reductionCases } from './cases/reduction.ts';
import { samplingCases } from './cases/sampling.ts';

/** Every use of an operator whose gradients the tests check; docs/ops.md is made from it. */
export const ruleCases: readonly RuleCase[] = [
  ...elementwiseCases,
  ...linearCases,
  ...normalisationCases,
  ...reductionCases,
  ...layoutCases,
  ...indexingCases,
  ...samplingCases,
];
