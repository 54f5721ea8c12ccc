import assert from 'node:assert/strict';
import { invariant } from '../../base/errors.ts';
import { stream, type Rng } from '../../base/rng.ts';
import { sizeOf, tensor, type Tensor } from '../../base/tensor.ts';
import type { Graph } from '../../onnx/graph.ts';
import { compile } from '../../runtime/session.ts';
import { GraphBuilder, type Value } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { arrayOf } from '../filled.ts';
import { type RuleCase, valuesOf } from '../rules/case.ts';
import { tolerances, type Tolerance } from '../tolerances.ts';

type Numbers = Readonly<Record<string, readonly number[]>>;

/** A function of named variables with cotangents of its outputs, its gradients and the gradients of those. */
export interface Subject {
  readonly title: string;
  readonly dtype: 'float32' | 'float64';
  readonly graph: Graph;
  /** Where the function is differentiated: its inputs (in0 …) and the cotangents (v0 …). */
  readonly point: Numbers;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly fixed: Readonly<Record<string, Tensor>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * Adds ⟨v, f(x)⟩ and its derivatives to the builder: outputs y…, d_x = ∂/∂x ⟨v, f⟩ and h_z = ∂/∂z Σ ⟨w, d⟩ for z
 * among x and v.
 */
export function subjectOf(
  title: string,
  dtype: 'float32' | 'float64',
  g: GraphBuilder,
  variables: readonly { value: Value; at: readonly number[] }[],
  outputs: readonly Value[],
  fixed: Readonly<Record<string, Tensor>>,
  rng: Rng,
): Subject {
  const point: Record<string, readonly number[]> = {};
  const shapes: Record<string, readonly number[]> = {};
  for (const { value, at } of variables) {
    point[value.name] = at;
    shapes[value.name] = value.shape;
  }
  const smooth = outputs.filter((value) => value.dtype === dtype);
  const cotangents = smooth.map((value, i) => {
    const name = `v${i}`;
    point[name] = draw(rng, sizeOf(value.shape));
    shapes[name] = value.shape;
    g.output(`y${i}`, value);
    return g.input(name, dtype, value.shape);
  });
  const wanted = variables.map(({ value }) => value);
  const first = gradients(
    g,
    smooth.map((value, i) => ({ value, ...only('cotangent', cotangents[i]) })),
    wanted,
  );
  const weighted = first.flatMap((value, i) => {
    const variable = wanted[i];
    if (!value || !variable) return [];
    g.output(`d_${variable.name}`, value);
    return [{ value, cotangent: g.input(`w_${variable.name}`, dtype, variable.shape) }];
  });
  const everything = [...wanted, ...cotangents];
  gradients(g, weighted, everything).forEach((value, i) => value && g.output(`h_${everything[i]?.name}`, value));
  return {
    title,
    dtype,
    graph: g.build('check'),
    point,
    shapes,
    fixed,
    inputs: wanted.map((value) => value.name),
    outputs: smooth.map((_, i) => `y${i}`),
  };
}

function only<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  const entry: Partial<Record<K, V>> = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}

/** The node of a case in a builder of its own, its variables and the values to differentiate it at. */
export function nodeOfCase(c: RuleCase): {
  g: GraphBuilder;
  rng: Rng;
  inputs: readonly Value[];
  at: readonly (readonly number[])[];
  fixed: Readonly<Record<string, Tensor>>;
  outputs: readonly Value[];
} {
  const rng = stream(7, c.op, c.name);
  const g = new GraphBuilder();
  const fixed: Record<string, Tensor> = {};
  const variables: Value[] = [];
  const at: (readonly number[])[] = [];
  const inputs = c.inputs.map((input, i) => {
    if (input.kind === 'absent') return undefined;
    if (input.kind === 'constant') return g.constant(input.value);
    if (input.kind === 'data') {
      fixed[`in${i}`] = input.value;
      return g.input(`in${i}`, input.value.dtype, input.value.dims);
    }
    const value = g.input(`in${i}`, c.dtype ?? 'float64', input.shape);
    variables.push(value);
    at.push(valuesOf(input, rng));
    return value;
  });
  const outputs = g.op(c.op, inputs, c.attributes ?? {}, { outputs: c.outputs ?? 1 });
  return { g, rng, inputs: variables, at, fixed, outputs };
}

/** The graph of a case, its first and second derivatives included. */
export function subjectOfCase(c: RuleCase): Subject {
  const { g, rng, inputs, at, fixed, outputs } = nodeOfCase(c);
  const variables = inputs.map((value, i) => ({ value, at: at[i] ?? [] }));
  return subjectOf(`${c.op}: ${c.name}`, c.dtype ?? 'float64', g, variables, outputs, fixed, rng);
}

const draw = (rng: Rng, size: number): number[] => Array.from({ length: size }, () => 2 * rng.uniform() - 1);

/** Compares both derivatives with difference quotients in random directions. Throws an AssertionError naming which. */
export async function checkSubject(subject: Subject, tolerance: Tolerance = tolerances[subject.dtype]): Promise<void> {
  const session = await compile(subject.graph, { device: 'cpu', threads: 1 });
  try {
    const rng = stream(11, subject.title);
    const names = Object.keys(subject.point);
    const direction = Object.fromEntries(names.map((name) => [name, draw(rng, sizeOf(shapeOf(subject, name)))]));
    const weights = Object.fromEntries(subject.inputs.map((name) => [name, draw(rng, sizeOf(shapeOf(subject, name)))]));
    const run = async (along: number, across: number) => {
      const feeds: Record<string, Tensor> = { ...subject.fixed };
      const at: Record<string, readonly number[]> = {};
      for (const name of names) {
        const [base = [], u = [], w = []] = [subject.point[name], direction[name], weights[name]];
        const values = base.map((value, i) => value + along * (u[i] ?? 0) + across * (w[i] ?? 0));
        feeds[name] = tensor(subject.dtype, shapeOf(subject, name), arrayOf(subject.dtype, values));
        at[name] = Array.from(feeds[name].data, Number);
      }
      for (const { name } of subject.graph.inputs) {
        if (name.startsWith('w_')) {
          const variable = name.slice(2);
          feeds[name] = tensor(
            subject.dtype,
            shapeOf(subject, variable),
            arrayOf(subject.dtype, weights[variable] ?? []),
          );
        }
      }
      const results = await session.run(feeds);
      const get = (name: string): readonly number[] => Array.from(results[name]?.data ?? [], Number);
      const objective = subject.outputs.reduce((sum, name, i) => sum + dot(get(name), at[`v${i}`] ?? []), 0);
      const slope = subject.inputs.reduce((sum, name) => sum + dot(get(`d_${name}`), weights[name] ?? []), 0);
      return { get, objective, slope };
    };
    const centre = await run(0, 0);
    const { step, mixedStep } = tolerance;
    const [ahead, behind] = [await run(step, 0), await run(-step, 0)];
    const linear = subject.outputs.reduce((sum, name, i) => sum + dot(centre.get(name), direction[`v${i}`] ?? []), 0);
    const first = subject.inputs.reduce(
      (sum, name) => sum + dot(centre.get(`d_${name}`), direction[name] ?? []),
      linear,
    );
    compare(subject, 'first derivative', first, (ahead.objective - behind.objective) / (2 * step), tolerance.first);
    const second = names.reduce((sum, name) => sum + dot(centre.get(`h_${name}`), direction[name] ?? []), 0);
    compare(subject, 'second derivative', second, (ahead.slope - behind.slope) / (2 * step), tolerance.second);
    const corner = async (a: number, b: number) => (await run(a * mixedStep, b * mixedStep)).objective;
    const cross = (await corner(1, 1)) - (await corner(1, -1)) - (await corner(-1, 1)) + (await corner(-1, -1));
    compare(subject, 'mixed second difference', second, cross / (4 * mixedStep * mixedStep), tolerance.mixed);
  } finally {
    await session.close();
  }
}

function shapeOf(subject: Subject, name: string): readonly number[] {
  const shape = subject.shapes[name];
  invariant(shape, `${name} is a variable of the check`);
  return shape;
}

/** Missing gradients are structural zeros. */
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

function compare(subject: Subject, what: string, derived: number, measured: number, tolerance: number): void {
  const error = Math.abs(derived - measured) / Math.max(1, Math.abs(derived), Math.abs(measured));
  assert.ok(
    error <= tolerance,
    `${subject.title}, ${what}: rule gives ${derived}, differences give ${measured} (error ${error.toExponential(1)}, allowed ${tolerance})\n${describeGraph(subject.graph)}`,
  );
}

/** One line per node. */
function describeGraph(graph: Graph): string {
  return graph.nodes.map((node) => `  ${node.outputs.join(', ')} = ${node.op}(${node.inputs.join(', ')})`).join('\n');
}
