import fc from 'fast-check';
import { z } from 'zod';
import { dataFormats, deviceNames, splits, type ModelRef, type RunRequest } from '../../contract/run.ts';
import type { MethodSpec, ModelNeed } from '../define.ts';
import { paramFields, type ParamField, type ValueShape } from '../parameters.ts';

/** Requests of a method as a form or a program may make them, for properties of whatever reads and writes them. */

export interface Places {
  /** Files and folders that are there, with names that shells and parsers might trip over. */
  readonly models: readonly string[];
  readonly data: readonly string[];
  readonly architectures: readonly string[];
}

const texts = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('', ',', '[x', ' a', '"', "it's", 'none', '-x', '$HOME', 'a\nb'),
);
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -5, max: 5000 }),
  fc.constantFrom(0, 0.5, 1),
);

function anyValue(shape: ValueShape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'boolean':
      return fc.boolean();
    case 'none':
      return fc.constant(null);
    case 'text':
      return texts;
    case 'json':
      return fc.constantFrom({}, { pgd: { steps: 7, note: "it's, a [list]" } });
    case 'choice':
      return fc.constantFrom(...shape.choices);
    case 'number': {
      const low = shape.least?.value ?? -1000;
      const high = Math.min(shape.most?.value ?? 1e6, 1e6);
      return shape.whole ? fc.integer({ min: Math.ceil(low), max: Math.floor(Math.max(low, high)) }) : numbers;
    }
    case 'list':
      return fc.array(anyValue(shape.item), { minLength: shape.fewest, maxLength: Math.min(shape.most ?? 5, 5) });
    case 'either':
      return fc.oneof(...shape.options.map(anyValue));
  }
}

/** A value that the declaration takes; its default where a guess is refused. */
function anyParam(
  spec: Pick<MethodSpec, 'params'>,
  field: ParamField,
  files: readonly string[],
): fc.Arbitrary<unknown> {
  // In a request it is absolute.
  if (field.ui.isFile === true) return fc.constantFrom(field.fallback, ...files);
  const schema = z.instanceof(z.ZodType).parse(spec.params.shape[field.name]);
  return anyValue(field.shape).map((value) => (schema.safeParse(value).success ? value : field.fallback));
}

function anyModel(need: ModelNeed, { models, architectures }: Places): fc.Arbitrary<ModelRef> {
  const figures = fc.array(fc.double({ min: 0.01, max: 300, noNaN: true }), { minLength: 1, maxLength: 3 });
  const file = fc.record(
    {
      kind: fc.constant('file' as const),
      path: fc.constantFrom(...models),
      normalisation: fc.record({ mean: figures, std: figures }, { noNullPrototype: true }),
      dims: fc.dictionary(fc.constantFrom('height', 'width', 'input.3', 'n=m'), fc.integer({ min: 1, max: 4096 }), {
        minKeys: 1,
        noNullPrototype: true,
      }),
      classNames: fc.constantFrom<string[]>(['cat', 'dog'], ["it's", 'a, b', '[x']),
    },
    { requiredKeys: ['kind', 'path'], noNullPrototype: true },
  );
  if (!need.zoo) return file;
  const zoo = fc.constantFrom(...architectures).map((architecture) => ({ kind: 'zoo' as const, architecture }));
  return fc.oneof(file, zoo);
}

/** Every field of a request, all of them taken by the declaration. */
export function anyRequest(spec: MethodSpec, places: Places): fc.Arbitrary<RunRequest> {
  const record = <T>(fields: Record<string, fc.Arbitrary<T>>, optional: readonly string[]) => {
    const requiredKeys = Object.keys(fields).filter((key) => !optional.includes(key));
    return fc.record(fields, { requiredKeys, noNullPrototype: true });
  };
  const rolesWithout = (needs: Readonly<Record<string, { readonly optional?: boolean; readonly default?: string }>>) =>
    Object.keys(needs).filter((role) => needs[role]?.optional === true && needs[role].default === undefined);
  const data = fc.record(
    {
      path: fc.constantFrom(...places.data),
      format: fc.constantFrom(...dataFormats),
      split: fc.constantFrom(...splits),
      limit: fc.integer({ min: 1, max: 1e6 }),
    },
    { requiredKeys: ['path', 'format', 'split'], noNullPrototype: true },
  );
  const fields = paramFields(spec);
  return fc
    .record({
      recipe: fc.constantFrom(undefined, ...Object.keys(spec.recipes)),
      params: record(Object.fromEntries(fields.map((field) => [field.name, anyParam(spec, field, places.data)])), []),
      models: record(
        Object.fromEntries(Object.entries(spec.models).map(([role, need]) => [role, anyModel(need, places)])),
        rolesWithout(spec.models),
      ),
      data: record(Object.fromEntries(Object.keys(spec.data).map((role) => [role, data])), rolesWithout(spec.data)),
      device: fc.constantFrom(...deviceNames),
      threads: fc.integer({ min: 1, max: 256 }),
    })
    .filter(({ params }) => spec.params.safeParse(params).success)
    .map(({ recipe, params, ...rest }) => ({
      methodId: spec.id,
      methodVersion: spec.version,
      ...(recipe === undefined ? {} : { recipe }),
      params: spec.params.parse(params),
      ...rest,
    }));
}
