import type { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import type { ResultMetrics } from '../contract/run.ts';
import type { MethodEvent, RunContext } from './context.ts';
import { spec as arbitraryTransfer } from './arbitrary-transfer/spec.ts';
import { spec as dataImpressions } from './data-impressions/spec.ts';
import type { MethodSpec } from './define.ts';
import { spec as gradientLeakage } from './gradient-leakage/spec.ts';
import { spec as robustness } from './robustness/spec.ts';
import { spec as training } from './training/spec.ts';

type Steps = AsyncGenerator<MethodEvent, ResultMetrics, void>;

/** A method with its implementation behind a lazy import; its parameter type is closed over. */
export interface Method {
  readonly spec: MethodSpec;
  /** Loads the implementation, checks `params` (PARAM_INVALID) and gives the generator, not yet started. */
  start(params: unknown, context: Omit<RunContext<unknown>, 'params'>): Promise<Steps>;
}

export type MethodRegistry = Readonly<Record<string, Method>>;

/** Ties a declaration to its implementation: `method(spec, () => import('./<id>/run.ts'))`. */
export function method<Shape extends z.ZodRawShape>(
  spec: MethodSpec<Shape>,
  load: () => Promise<{ run: (context: RunContext<z.output<z.ZodObject<Shape>>>) => Steps }>,
): Method {
  return {
    spec,
    async start(params, context) {
      const parsed = spec.params.safeParse(params);
      if (!parsed.success) throw invalidParams(spec.id, parsed.error);
      const { run } = await load();
      return run({ ...context, params: parsed.data });
    },
  };
}

function invalidParams(id: string, error: z.ZodError): WorkbenchError {
  const reasons = error.issues.map((issue) => `${issue.path.join('.') || 'params'}: ${issue.message}`);
  return new WorkbenchError('PARAM_INVALID', `Parameters of ${id} are not valid: ${reasons.join('; ')}`, {
    hint: `See \`palimpsest run ${id} --help\` for names, units and ranges.`,
  });
}

/** id → implementation. A new method adds one line here. */
export const registry: MethodRegistry = {
  [training.id]: method(training, () => import('./training/run.ts')),
  [dataImpressions.id]: method(dataImpressions, () => import('./data-impressions/run.ts')),
  [arbitraryTransfer.id]: method(arbitraryTransfer, () => import('./arbitrary-transfer/run.ts')),
  [robustness.id]: method(robustness, () => import('./robustness/run.ts')),
  [gradientLeakage.id]: method(gradientLeakage, () => import('./gradient-leakage/run.ts')),
};
