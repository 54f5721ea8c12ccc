import { emptyData, float32, int64, sizeOf, type DType, type Tensor } from '../base/tensor.ts';
import { codeOfDtype } from '../onnx/element-types.ts';
import type { Attribute, GraphNode } from '../onnx/graph.ts';

/** How a constant follows the batch size N. */
export type Recipe =
  /** int64: scale·N + offset, element by element. */
  | ({ readonly kind: 'ints'; readonly dims: readonly number[] } & Line)
  /** float32: factor·N or factor / N, element by element. */
  | {
      readonly kind: 'product' | 'quotient';
      readonly dims: readonly number[];
      readonly factor: readonly number[];
    }
  /** One value throughout, in a shape of sizes scale·N + offset; the value may itself follow N, as a scalar. */
  | ({ readonly kind: 'fill'; readonly dtype: DType; readonly value: number | Recipe } & Line)
  /** The same numbers once for each image, in a shape of sizes scale·N + offset: a parameter that was expanded. */
  | ({ readonly kind: 'copies'; readonly dtype: DType; readonly inner: readonly number[] } & Line)
  /** int64 [N, repeated…]: `step` times the position along the first axis, plus `inner`, which is the same for each. */
  | {
      readonly kind: 'rows';
      readonly dims: readonly number[];
      readonly step: number;
      readonly inner: readonly number[];
    };

/** Equal in type, shape and every bit that counts. */
export function equalTensors(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || !sameDims(a.dims, b.dims)) return false;
  if (a.data === b.data) return true;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return true;
}

const sameDims = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** The rule behind a constant that is `tensors[i]` at batch size `sizes[i]`; undefined when none of ours is. */
export function findRecipe(sizes: readonly number[], tensors: readonly (Tensor | undefined)[]): Recipe | undefined {
  const [a, b] = tensors;
  const [n = 0, m = 0] = sizes;
  if (!a || !b || tensors.some((tensor) => tensor?.dtype !== a.dtype)) return undefined;
  const all = tensors.flatMap((tensor) => tensor ?? []);
  const candidates = sameDims(a.dims, b.dims)
    ? sameShaped(a, b, n, m)
    : [fill(sizes, all), rows(a, n), copies(sizes, all)];
  return candidates.find(
    (recipe) =>
      recipe !== undefined &&
      sizes.every((size, i) => {
        const tensor = tensors[i];
        return tensor !== undefined && agrees(evaluate(recipe, size), tensor);
      }),
  );
}

function sameShaped(a: Tensor, b: Tensor, n: number, m: number): readonly (Recipe | undefined)[] {
  const [p, q] = [numbersOf(a), numbersOf(b)];
  if (a.dtype === 'int64') {
    const line = affine(p, q, n, m);
    return [line && { kind: 'ints', dims: a.dims, ...line }];
  }
  if (a.dtype !== 'float32') return [];
  return [
    { kind: 'quotient', dims: a.dims, factor: p.map((value) => unrounded(value * n)) },
    { kind: 'product', dims: a.dims, factor: p.map((value) => unrounded(value / n)) },
  ];
}

/** The whole number, or the fraction of one, that rounding to float32 has moved by a little. */
function unrounded(value: number): number {
  const isNear = (exact: number): boolean => Math.abs(exact - value) < 1e-6 * Math.abs(value);
  const whole = Math.round(value);
  const fraction = 1 / Math.round(1 / value);
  return isNear(whole) ? whole : isNear(fraction) ? fraction : value;
}

const numbersOf = (tensor: Tensor): readonly number[] => Array.from<number | bigint, number>(tensor.data, Number);

interface Line {
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** The lines through (n, p) and (m, q), element by element, where they are of whole numbers. */
function affine(p: readonly number[], q: readonly number[], n: number, m: number): Line | undefined {
  const scale = p.map((value, i) => ((q[i] ?? 0) - value) / (m - n));
  const offset = p.map((value, i) => value - (scale[i] ?? 0) * n);
  return scale.every(Number.isInteger) && offset.every(Number.isInteger) ? { scale, offset } : undefined;
}

const lineAt = ({ scale, offset }: Line, n: number): readonly number[] =>
  offset.map((value, i) => (scale[i] ?? 0) * n + value);

/** The rule of a constant of one repeated value, from all its forms. */
function fill(sizes: readonly number[], tensors: readonly Tensor[]): Recipe | undefined {
  const [a, b] = tensors;
  const [n = 0, m = 0] = sizes;
  if (!a || !b || a.data.length === 0 || !tensors.every(isFilled)) return undefined;
  const line = a.dims.length === b.dims.length ? affine(a.dims, b.dims, n, m) : undefined;
  const scalars = tensors.map((tensor) => ({ ...tensor, dims: [], data: tensor.data.slice(0, 1) }));
  const isSame = scalars.every((scalar) => equalTensors(scalar, scalars[0] ?? scalar));
  const value = isSame ? Number(a.data[0]) : findRecipe(sizes, scalars);
  return line && value !== undefined ? { kind: 'fill', dtype: a.dtype, value, ...line } : undefined;
}

const isFilled = ({ data }: Tensor): boolean => data.every((other: number | bigint) => other === data[0]);

/** The rule of a constant whose first axis is the images, or some of each: every `n`-th part of it is the first one. */
function copies(sizes: readonly number[], tensors: readonly Tensor[]): Recipe | undefined {
  const [a, b] = tensors;
  const [n = 0, m = 0] = sizes;
  const length = (a?.data.length ?? 0) / n;
  if (!a || !b || length === 0 || !Number.isInteger(length) || a.dims.length !== b.dims.length) return undefined;
  const line = affine(a.dims, b.dims, n, m);
  const isOfImages = line?.scale.every((scale, axis) => (axis === 0 ? scale > 0 : scale === 0)) === true;
  if (!line || !isOfImages || line.offset[0] !== 0) return undefined;
  return { kind: 'copies', dtype: a.dtype, inner: numbersOf({ ...a, data: a.data.slice(0, length) }), ...line };
}

function rows(a: Tensor, n: number): Recipe | undefined {
  if (a.dtype !== 'int64' || a.dims[0] !== n || n < 2) return undefined;
  const values = numbersOf(a);
  const length = values.length / n;
  const inner = values.slice(0, length);
  return { kind: 'rows', dims: a.dims.slice(1), step: (values[length] ?? 0) - (values[0] ?? 0), inner };
}

function evaluate(recipe: Recipe, n: number): Tensor {
  switch (recipe.kind) {
    case 'ints':
      return int64(recipe.dims, lineAt(recipe, n));
    case 'product':
    case 'quotient':
      return float32(
        recipe.dims,
        recipe.factor.map((factor) => (recipe.kind === 'product' ? factor * n : factor / n)),
      );
    case 'fill': {
      const dims = lineAt(recipe, n);
      const { dtype, value } = recipe;
      return filled(dtype, dims, typeof value === 'number' ? value : Number(evaluate(value, n).data[0]));
    }
    case 'copies': {
      const dims = lineAt(recipe, n);
      return listed(
        recipe.dtype,
        dims,
        Array.from({ length: n }, () => recipe.inner),
      );
    }
    case 'rows': {
      const values = Array.from({ length: n }, (_, row) => recipe.inner.map((value) => value + row * recipe.step));
      return int64([n, ...recipe.dims], values.flat());
    }
  }
}

function filled(dtype: DType, dims: readonly number[], value: number): Tensor {
  const data = emptyData(dtype, sizeOf(dims));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(value));
  else data.fill(value);
  return { dtype, dims, data };
}

function listed(dtype: DType, dims: readonly number[], parts: readonly (readonly number[])[]): Tensor {
  const data = emptyData(dtype, sizeOf(dims));
  const numbers = parts.flat();
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(numbers.map(BigInt));
  else data.set(numbers);
  return { dtype, dims, data };
}

function agrees(ours: Tensor, theirs: Tensor): boolean {
  if (ours.dtype !== 'float32') return equalTensors(ours, theirs);
  const close = (a: number, b: number): boolean => Math.abs(a - b) <= 2e-7 * Math.abs(b) || Object.is(a, b);
  return (
    sameDims(ours.dims, theirs.dims) &&
    numbersOf(ours).every((value, i) => close(value, Number(theirs.data[i]))) &&
    ours.dtype === theirs.dtype
  );
}

/** Where the nodes of a recipe go. */
export interface Emission {
  readonly input: string;
  readonly prefix: string;
  readonly initializers: Map<string, Tensor>;
  readonly nodes: GraphNode[];
}

/** Appends nodes that compute the constant of a recipe, under the given name. */
export function emitRecipe(recipe: Recipe, name: string, to: Emission): void {
  const make = (
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Record<string, Attribute> = {},
  ): string => {
    to.nodes.push({ name: output, domain: '', op, inputs, outputs: [output], attributes });
    return output;
  };
  const constant = (role: string, tensor: Tensor, of = name): string => {
    to.initializers.set(`${of}/${role}`, tensor);
    return `${of}/${role}`;
  };
  /** N as int64 [1]. */
  const batch = (): string => {
    const value = `${to.prefix}batch`;
    if (to.nodes.some(({ outputs }) => outputs[0] === value)) return value;
    return make('Shape', [to.input], value, { start: { type: 'int', value: 0 }, end: { type: 'int', value: 1 } });
  };
  const scalar = (value: string, role: string): string =>
    make('Squeeze', [value, constant(`${role}_axes`, int64([1], [0]))], `${name}/${role}`);
  const line = (
    scale: readonly number[],
    offset: readonly number[],
    dims: readonly number[],
    output: string,
  ): string => {
    const n = dims.length === 0 ? scalar(batch(), 'n') : batch();
    const isPlain = offset.every((value) => value === 0);
    const product = make(
      'Mul',
      [n, constant('scale', int64(dims, scale), output)],
      isPlain ? output : `${output}/product`,
    );
    return isPlain ? product : make('Add', [product, constant('offset', int64(dims, offset), output)], output);
  };
  switch (recipe.kind) {
    case 'ints':
      line(recipe.scale, recipe.offset, recipe.dims, name);
      break;
    case 'product':
    case 'quotient': {
      const n = recipe.dims.length === 0 ? scalar(batch(), 'n') : batch();
      const float = make('Cast', [n], `${name}/float`, { to: { type: 'int', value: codeOfDtype('float32') } });
      const factor = constant('factor', float32(recipe.dims, recipe.factor));
      make(recipe.kind === 'product' ? 'Mul' : 'Div', [factor, float], name);
      break;
    }
    case 'fill': {
      const { scale, offset, dtype, value } = recipe;
      const shape = line(scale, offset, [scale.length], `${name}/shape`);
      if (typeof value === 'number') {
        make('ConstantOfShape', [shape], name, { value: { type: 'tensor', value: filled(dtype, [1], value) } });
      } else {
        emitRecipe(value, `${name}/value`, to);
        make('Expand', [`${name}/value`, shape], name);
      }
      break;
    }
    case 'copies': {
      const { dtype, inner, scale, offset } = recipe;
      const wide = line([1, 0], [0, inner.length], [2], `${name}/wide`);
      const one = constant('inner', listed(dtype, [1, inner.length], [inner]));
      const repeated = make('Expand', [one, wide], `${name}/repeated`);
      make('Reshape', [repeated, line(scale, offset, [scale.length], `${name}/shape`)], name);
      break;
    }
    case 'rows': {
      const { dims, step, inner } = recipe;
      const at = (role: string, number: number): string => constant(role, int64([], [number]));
      const range = make('Range', [at('zero', 0), scalar(batch(), 'n'), at('one', 1)], `${name}/range`);
      const ones = constant('column', int64([dims.length + 1], [-1, ...dims.map(() => 1)]));
      const column = make('Reshape', [range, ones], `${name}/rows`);
      const steps = make('Mul', [column, at('step', step)], `${name}/steps`);
      make('Add', [steps, constant('inner', int64([1, ...dims], inner))], name);
      break;
    }
  }
}
