import type { MethodSpec, Pass, RunScale, Work } from '../methods/define.ts';

type Part = NonNullable<MethodSpec['work']>[number];
/** What the amount of work follows from. */
export type Amounts = Pick<RunScale, 'params' | 'models' | 'data'>;

const timesOf = (part: Part): readonly string[] => ('times' in part ? part.times : part);
const amountOf = (part: Part): Work['amount'] => ('times' in part ? part.amount : undefined);

/** Parameters that a part of the work grows with. */
export const growsWith = (part: Part): readonly string[] => [...timesOf(part), ...(amountOf(part)?.of ?? [])];

/** How often a part of the work is done. */
export function repeatsOf(part: Part, { params, models, data }: Amounts): number {
  const isLeftOut = 'times' in part && part.data !== undefined && !(part.data in data);
  if (isLeftOut) return 0;
  return productOf(timesOf(part), params, data) * (amountOf(part)?.value(params, models) ?? 1);
}

/**
 * Product of parameters, a list counting by its length, and of numbers of images as `data.ROLE`: 0 for a data set that is
 * not given. NaN where one is neither a number, a switch nor a list.
 */
export function productOf(
  names: readonly string[],
  params: Readonly<Record<string, unknown>>,
  data: Readonly<Record<string, number>> = {},
): number {
  return names.reduce((product, name) => {
    const [kind, role] = name.split('.');
    return product * (kind === 'data' && role !== undefined ? (data[role] ?? 0) : sizeOf(params[name]));
  }, 1);
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : Number.NaN;
}

/** How a part of the work is carried out. */
export interface Manner {
  readonly batch: number;
  readonly isAlone: boolean;
}

/** Milliseconds of one image through one model; null where they are not known. */
export type CostOfPass = (role: string, pass: Pass, manner: Manner) => number | null;

/** Milliseconds of a run; null when a part of its work, or a model's, does not say what it costs. */
export function timeOfWork(work: MethodSpec['work'], amounts: Amounts, costOf: CostOfPass): number | null {
  if (work === undefined) return null;
  let sum = 0;
  for (const part of work) {
    const times = repeatsOf(part, amounts);
    // A control that is switched off, or has no data, needs no model.
    if (times === 0) continue;
    if (!('costs' in part) || !Number.isFinite(times)) return null;
    const once = onceOf(part.costs, mannerOf(part, amounts), costOf);
    if (once === null) return null;
    sum += times * once;
  }
  return sum;
}

const many = 1000;

function mannerOf({ batch = many, isAlone = false }: Work, { params }: Amounts): Manner {
  const size = typeof batch === 'number' ? batch : sizeOf(params[batch]);
  return { batch: Math.max(1, size), isAlone };
}

function onceOf(costs: Work['costs'], manner: Manner, costOf: CostOfPass): number | null {
  let sum = 0;
  for (const { model, pass, count = 1 } of costs) {
    const cost = costOf(model, pass, manner);
    if (cost === null) return null;
    sum += count * cost;
  }
  return sum;
}
