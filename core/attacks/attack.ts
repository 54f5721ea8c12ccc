import type { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import type { AttackDeclaration } from './catalogue-kinds.ts';
import type { AttackRun, AttackTask, Pulse } from './task.ts';

/** An attack with its options settled. */
export interface Attack {
  readonly declaration: AttackDeclaration;
  /** As they were settled, defaults filled in: what a record of the run says. */
  readonly options: Readonly<Record<string, unknown>>;
  /** At most this many passes for one image. */
  cost(classes: number): { readonly forward: number; readonly backward: number };
  run(task: AttackTask): AsyncGenerator<Pulse, void, void>;
}

/** An attack before its options are settled. */
export interface Implementation {
  readonly declaration: AttackDeclaration;
  /** @throws PARAM_INVALID with every reason */
  prepare(options: unknown): Attack;
}

/** Ties a declaration to what runs; the type of the options is closed over. */
export function implement<Options extends z.ZodObject>(
  declaration: AttackDeclaration<Options>,
  run: AttackRun<z.output<Options>>,
): Implementation {
  return {
    declaration,
    prepare(options) {
      const parsed = declaration.options.safeParse(options);
      if (!parsed.success) {
        const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`);
        throw new WorkbenchError('PARAM_INVALID', `Options of ${declaration.title}: ${reasons.join('; ')}`, {
          hint: `Options: ${Object.keys(declaration.options.shape).join(', ') || 'none'}.`,
        });
      }
      const settled = parsed.data;
      return {
        declaration,
        options: settled,
        cost: (classes) => declaration.cost(settled, classes),
        run: (task) => run(task, settled),
      };
    },
  };
}
