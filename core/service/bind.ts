import type { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import type { RequestName } from '../contract/bridge.ts';

/** Request → its handler, which parses what it is given. */
export type HandlerTable = Readonly<Record<RequestName, (params: unknown) => Promise<unknown>>>;

/** Ties a handler to its row of the contract. @throws USAGE naming what of the parameters is wrong */
export function bind<In extends z.ZodType, Out extends z.ZodType>(
  row: { readonly in: In; readonly out: Out },
  handle: (params: z.output<In>) => z.output<Out> | Promise<z.output<Out>>,
): (params: unknown) => Promise<unknown> {
  return async (params) => {
    const parsed = row.in.safeParse(params);
    if (parsed.success) return handle(parsed.data);
    const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'params'}: ${issue.message}`);
    throw new WorkbenchError('USAGE', `The request is not valid: ${reasons.slice(0, 5).join('; ')}`);
  };
}
