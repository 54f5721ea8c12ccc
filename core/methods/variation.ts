import { z } from 'zod';
import type { MethodSpec } from './define.ts';
import { kebabCase, paramFields, type ValueShape } from './parameters.ts';
import { mostRuns, valuesIn } from './sweep-values.ts';

/** What one `--vary` sets, run by run: flag → text; of switches "true" or "false". */
export type Variation = readonly Readonly<Record<string, string>>[];

export type ReadVariation =
  { readonly ok: true; readonly variation: Variation } | { readonly ok: false; readonly problem: string };

const whole: ValueShape = { kind: 'number', whole: true };
const word: ValueShape = { kind: 'choice', choices: [] };

/** Of a parameter, or of a flag whose values have no commas of their own; undefined for paths, names and sizes. */
export function shapeOfFlag(spec: Pick<MethodSpec, 'params' | 'data'>, flag: string): ValueShape | undefined {
  const field = paramFields(spec).find((each) => each.flag === flag);
  if (field) return field.shape;
  if (['recipe', 'device'].includes(flag)) return word;
  if (flag === 'threads') return whole;
  const roles = Object.keys(spec.data).map(kebabCase);
  if (roles.some((role) => flag === `${role}-limit`)) return whole;
  return roles.some((role) => flag === `${role}-split` || flag === `${role}-format`) ? word : undefined;
}

const Together = z
  .array(z.record(z.string(), z.union([z.string(), z.number().transform(String), z.boolean().transform(String)])))
  .min(1)
  .max(mostRuns);

/** "seed=0..4", "teacher=a.onnx;b.onnx", or JSON where flags change together: [{"teacher":"a.onnx","steps":10},…]. */
export function readVariation(spec: Pick<MethodSpec, 'params' | 'data'>, text: string): ReadVariation {
  if (text.trimStart().startsWith('[')) return readTogether(text);
  const at = text.indexOf('=');
  const flag = kebabCase(text.slice(0, Math.max(at, 0)).trim().replace(/^--/, ''));
  if (flag === '') return { ok: false, problem: `expected NAME=VALUE;VALUE, got "${text}"` };
  const values = valuesIn(text.slice(at + 1), shapeOfFlag(spec, flag));
  if (values.length === 0) return { ok: false, problem: `expected at least one value of ${flag}, got none` };
  return { ok: true, variation: values.map((value) => ({ [flag]: value })) };
}

function readTogether(text: string): ReadVariation {
  const read = Together.safeParse(jsonOr(text));
  if (read.success) return { ok: true, variation: read.data };
  return { ok: false, problem: `expected a JSON list of objects like {"seed": 1}, got ${text.slice(0, 200)}` };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
