import { z } from 'zod';
import { ui, type MethodSpec, type ParamUi } from './define.ts';

/** What a value of a parameter may look like, read off its zod schema; forms and flags are drawn from it. */
export type ValueShape =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'none' }
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'choice'; readonly choices: readonly (string | number)[] }
  | {
      readonly kind: 'number';
      readonly whole: boolean;
      readonly least?: Bound | undefined;
      readonly most?: Bound | undefined;
    }
  | {
      readonly kind: 'list';
      readonly item: ValueShape;
      readonly fewest: number;
      readonly most: number | undefined;
    }
  | { readonly kind: 'either'; readonly options: readonly ValueShape[] };

export interface Bound {
  readonly value: number;
  /** The bound itself is allowed. */
  readonly inclusive: boolean;
}

/** One parameter of a method. */
export interface ParamField {
  /** Key in the request. */
  readonly name: string;
  /** `step-size` for `stepSize`. */
  readonly flag: string;
  readonly shape: ValueShape;
  /** undefined: there is none. */
  readonly fallback: unknown;
  readonly required: boolean;
  readonly ui: ParamUi;
}

/** `imagesPerClass` → `images-per-class`, `l1Weight` → `l1-weight`. */
export function kebabCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

/** The parameters of a method in the order of their declaration. */
export function paramFields(spec: Pick<MethodSpec, 'params'>): readonly ParamField[] {
  return Object.entries(spec.params.shape).map(([name, schema]) => {
    const type = z.instanceof(z.ZodType).parse(schema);
    const json = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' });
    const required = !type.safeParse(undefined).success;
    const meta = ui.get(type) ?? { title: name };
    return { name, flag: kebabCase(name), shape: shapeOf(json), fallback: json.default, required, ui: meta };
  });
}

/** Does the value of a parameter that may be a file name one? */
const isFileName = ({ ui: { isFile } }: Pick<ParamField, 'ui'>, value: unknown): value is string =>
  isFile === true && typeof value === 'string' && /[./\\]/.test(value);

/** The parameters with every path of a file put through `settle`; those of the request are absolute. */
export function settleFiles(
  spec: Pick<MethodSpec, 'params'>,
  params: Readonly<Record<string, unknown>>,
  settle: (path: string) => string,
): Record<string, unknown> {
  const files = paramFields(spec).flatMap((field) => {
    const value = params[field.name];
    return isFileName(field, value) ? [[field.name, settle(value)] as const] : [];
  });
  return { ...params, ...Object.fromEntries(files) };
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

function shapeOf(schema: JsonSchema | boolean): ValueShape {
  if (typeof schema === 'boolean') return { kind: 'json' };
  const literals = schema.const === undefined ? schema.enum : [schema.const];
  if (literals) return fromLiterals(literals);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return either(options.map(shapeOf));
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  return either(types.map((type) => fromType(type, schema)));
}

function fromLiterals(literals: readonly unknown[]): ValueShape {
  const choices = literals.filter((value) => typeof value === 'string' || typeof value === 'number');
  const shapes: ValueShape[] = choices.length === 0 ? [] : [{ kind: 'choice', choices }];
  if (literals.includes(null)) shapes.push({ kind: 'none' });
  return either(shapes);
}

function fromType(type: unknown, schema: JsonSchema): ValueShape {
  if (type === 'boolean') return { kind: 'boolean' };
  if (type === 'null') return { kind: 'none' };
  if (type === 'string') return { kind: 'text' };
  if (type === 'number' || type === 'integer') return numberShape(type === 'integer', schema);
  if (type !== 'array') return { kind: 'json' };
  const tuple = schema.prefixItems?.map(shapeOf);
  const item = tuple
    ? either(distinct(tuple))
    : Array.isArray(schema.items)
      ? undefined
      : shapeOf(schema.items ?? true);
  return { kind: 'list', item: item ?? { kind: 'json' }, fewest: schema.minItems ?? 0, most: schema.maxItems };
}

function numberShape(whole: boolean, schema: JsonSchema): ValueShape {
  const bound = (inclusive: unknown, exclusive: unknown): Bound | undefined => {
    if (typeof exclusive === 'number') return { value: exclusive, inclusive: false };
    // zod bounds every integer by the safe range, which says nothing to a reader.
    if (typeof inclusive !== 'number' || Math.abs(inclusive) === Number.MAX_SAFE_INTEGER) return undefined;
    return { value: inclusive, inclusive: true };
  };
  const least = bound(schema.minimum, schema.exclusiveMinimum);
  return { kind: 'number', whole, least, most: bound(schema.maximum, schema.exclusiveMaximum) };
}

function distinct(shapes: readonly ValueShape[]): readonly ValueShape[] {
  return [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()];
}

function either(shapes: readonly ValueShape[]): ValueShape {
  const flat = shapes.flatMap((shape) => (shape.kind === 'either' ? shape.options : [shape]));
  const choices = flat.flatMap((shape) => (shape.kind === 'choice' ? shape.choices : []));
  const others = flat.filter((shape) => shape.kind !== 'choice');
  const options: ValueShape[] = choices.length === 0 ? others : [{ kind: 'choice', choices }, ...others];
  const [only] = options;
  return options.length === 1 && only ? only : options.length === 0 ? { kind: 'json' } : { kind: 'either', options };
}

/** "a number from 0 to 1", "one of paper, release", "a list of whole numbers of at least 1, separated by commas". */
export function describeShape(shape: ValueShape): string {
  switch (shape.kind) {
    case 'boolean':
      return 'true or false';
    case 'none':
      return 'none';
    case 'text':
      return 'a text';
    case 'json':
      return 'a JSON value';
    case 'choice':
      return shape.choices.length === 1 ? String(shape.choices[0]) : `one of ${shape.choices.join(', ')}`;
    case 'number':
      return `${shape.whole ? 'a whole number' : 'a number'}${describeRange(shape)}`;
    case 'list': {
      const { fewest, most } = shape;
      const count = fewest === most ? `${fewest} values` : fewest > 0 ? `a list of at least ${fewest}` : 'a list';
      return `${count}, each ${describeShape(shape.item)}, separated by commas`;
    }
    case 'either':
      return shape.options.map(describeShape).join(', or ');
  }
}

/** " above 0 and at most 100", " from 0 to 1", "" without bounds. */
export function describeRange({ least, most }: { least?: Bound | undefined; most?: Bound | undefined }): string {
  if (least?.inclusive && most?.inclusive) return ` from ${least.value} to ${most.value}`;
  const low = least && (least.inclusive ? `of at least ${least.value}` : `above ${least.value}`);
  const high = most && (most.inclusive ? `at most ${most.value}` : `below ${most.value}`);
  const both = [low, high].filter((part) => part !== undefined).join(' and ');
  return both === '' ? '' : ` ${both}`;
}
