import { WorkbenchError } from '../base/errors.ts';
import { spec as arbitraryTransfer } from './arbitrary-transfer/spec.ts';
import { spec as dataImpressions } from './data-impressions/spec.ts';
import type { MethodSpec } from './define.ts';
import { spec as gradientLeakage } from './gradient-leakage/spec.ts';
import { spec as robustness } from './robustness/spec.ts';
import { spec as training } from './training/spec.ts';

/** Every method's declaration, in the order in which lists show them. A new method adds its spec here. */
export const catalogue: readonly MethodSpec[] = [
  training,
  dataImpressions,
  arbitraryTransfer,
  gradientLeakage,
  robustness,
];

/** The declaration of `id`; METHOD_UNKNOWN names the ones there are. */
export function findMethod(id: string, specs: readonly MethodSpec[] = catalogue): MethodSpec {
  const spec = specs.find((candidate) => candidate.id === id);
  if (spec) return spec;
  throw new WorkbenchError('METHOD_UNKNOWN', `There is no method "${id}"`, {
    hint: `Methods: ${specs.map((candidate) => candidate.id).join(', ') || 'none'}.`,
  });
}
