import type { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import type { Preflight } from '../contract/preflight.ts';
import type { ResultMetrics } from '../contract/run.ts';
import type { AheadContext, MethodEvent, RunContext } from './context.ts';
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
  /** Where the declaration has `lookAhead`. @throws PARAM_INVALID, and what the models and data are refused for */
  readonly lookAhead?: (params: unknown, context: AheadGiven) => Promise<Preflight>;
}

type AheadGiven = Omit<AheadContext<unknown>, 'params'>;
type Ahead<Params> = (context: AheadContext<Params>) => Promise<Preflight>;

export type MethodRegistry = Readonly<Record<string, Method>>;

/**
 * Ties a declaration to its implementation: `method(spec, () => import('./<id>/run.ts'))`, and where it looks ahead
 * `() => import('./<id>/ahead.ts')` beside it.
 */
export function method<Shape extends z.ZodRawShape>(
  spec: MethodSpec<Shape>,
  load: () => Promise<{ run: (context: RunContext<z.output<z.ZodObject<Shape>>>) => Steps }>,
  loadAhead?: () => Promise<{ lookAhead: Ahead<z.output<z.ZodObject<Shape>>> }>,
): Method {
  const parse = (params: unknown): z.output<z.ZodObject<Shape>> => {
    const parsed = spec.params.safeParse(params);
    if (parsed.success) return parsed.data;
    throw invalidParams(spec.id, parsed.error);
  };
  return {
    spec,
    async start(params, context) {
      const checked = parse(params);
      const { run } = await load();
      return run({ ...context, params: checked });
    },
    ...(loadAhead && {
      async lookAhead(params: unknown, context: AheadGiven) {
        const checked = parse(params);
        const { lookAhead } = await loadAhead();
        return lookAhead({ ...context, params: checked });
      },
    }),
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
  [robustness.id]: method(
    robustness,
    () => import('./robustness/run.ts'),
    () => import('./robustness/ahead.ts'),
  ),
  [gradientLeakage.id]: method(
    gradientLeakage,
    () => import('./gradient-leakage/run.ts'),
    () => import('./gradient-leakage/ahead.ts'),
  ),
};
