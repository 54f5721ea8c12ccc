import type { RunRequest } from '../contract/run.ts';
import type { MethodSpec, Pass, Work } from '../methods/define.ts';

type Part = NonNullable<MethodSpec['work']>[number];

const timesOf = (part: Part): readonly string[] => ('times' in part ? part.times : part);
const amountOf = (part: Part): Work['amount'] => ('times' in part ? part.amount : undefined);

/** Parameters that a part of the work grows with. */
export const growsWith = (part: Part): readonly string[] => [...timesOf(part), ...(amountOf(part)?.of ?? [])];

/** How often a part of the work is done. */
export const repeatsOf = (part: Part, params: Readonly<Record<string, unknown>>): number =>
  productOf(timesOf(part), params) * (amountOf(part)?.value(params) ?? 1);

/** Product of parameters, a list counting by its length. NaN where one is neither a number, a switch nor a list. */
export function productOf(names: readonly string[], params: Readonly<Record<string, unknown>>): number {
  return names.reduce((product, name) => product * sizeOf(params[name]), 1);
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : Number.NaN;
}

/** Floating-point operations of one image through one model; null where they are not known. */
export type CostOfPass = (role: string, pass: Pass) => number | null;

/** Operations of a run; null when a part of its work, or a model's, does not say what it costs. */
export function operationsOf(
  work: MethodSpec['work'],
  { params, data }: Pick<RunRequest, 'params' | 'data'>,
  costOf: CostOfPass,
): number | null {
  if (work === undefined) return null;
  let sum = 0;
  for (const part of work) {
    const times = repeatsOf(part, params);
    // A control that is switched off, or has no data, needs no model.
    const isLeftOut = 'times' in part && part.data !== undefined && !(part.data in data);
    if (times === 0 || isLeftOut) continue;
    if (!('costs' in part) || !Number.isFinite(times)) return null;
    const once = onceOf(part.costs, costOf);
    if (once === null) return null;
    sum += times * once;
  }
  return sum;
}

function onceOf(costs: Work['costs'], costOf: CostOfPass): number | null {
  let sum = 0;
  for (const { model, pass, count = 1 } of costs) {
    const cost = costOf(model, pass);
    if (cost === null) return null;
    sum += count * cost;
  }
  return sum;
}
