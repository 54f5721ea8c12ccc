// The ONNX standard's tests of single operators, through our reader, inference and onnxruntime. See help.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GraphBuilder, type Value } from '../core/autodiff/builder.ts';
import { inlineGraph } from '../core/autodiff/inline.ts';
import { checkSubject, subjectOf } from '../core/autodiff/testing/gradient-check.ts';
import { tolerances } from '../core/autodiff/tolerances.ts';
import { stream } from '../core/base/rng.ts';
import { sizeOf, type Tensor } from '../core/base/tensor.ts';
import { openSafetensors } from '../core/data/safetensors.ts';
import { takeBranches } from '../core/onnx/classifier/branches.ts';
import type { Graph } from '../core/onnx/graph.ts';
import { widenTensor } from '../core/onnx/normalise/half-precision.ts';
import { normalise } from '../core/onnx/normalise.ts';
import { loadModel } from '../core/onnx/read.ts';
import { compile } from '../core/runtime/session.ts';

const help = `node bench/node-cases.ts FOLDER [--only TEXT]

  FOLDER       what bench/reference/node_cases.py wrote
  --only TEXT  cases whose name contains TEXT

Holds the results against the standard's, and gradients of the first and second order against difference quotients. Says what
does not agree, and why. Numbers that are not finite, or lie at a kink or the edge of a domain, have no such quotients.
`;

interface Case {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

async function readCase(folder: string, name: string): Promise<Case> {
  const { graph } = normalise(await loadModel(join(folder, `${name}.onnx`)));
  const file = await openSafetensors(join(folder, `${name}.safetensors`));
  const parts = { in: new Map<string, Tensor>(), out: new Map<string, Tensor>() };
  for (const key of file.entries.keys()) {
    const role = key.startsWith('in/') ? 'in' : 'out';
    parts[role].set(key.slice(role.length + 1), widenTensor(await file.read(key)));
  }
  await file.close();
  const shapes = Object.fromEntries([...parts.in].map(([input, { dims }]) => [input, dims]));
  const taken = graph.nodes.some(({ op }) => op === 'If') ? takeBranches(graph, shapes) : graph;
  return { graph: taken, inputs: Object.fromEntries(parts.in), outputs: Object.fromEntries(parts.out) };
}

interface Built {
  readonly g: GraphBuilder;
  readonly variables: readonly { readonly name: string; readonly value: Value }[];
  readonly outputs: Readonly<Record<string, Value>>;
}

/** The graph with its inputs as variables, but those in `known`. */
function build({ graph, inputs }: Case, known: ReadonlySet<string>): Built {
  const g = new GraphBuilder();
  const entries = graph.inputs.flatMap(({ name }) => {
    const given = inputs[name];
    if (!given) return [];
    return [{ name, value: known.has(name) ? g.constant(given) : g.input(name, given.dtype, given.dims) }];
  });
  const values = Object.fromEntries(entries.map(({ name, value }) => [name, value]));
  const variables = entries.filter(({ name }) => !known.has(name));
  return { g, variables, outputs: inlineGraph(g, graph, { inputs: values }).outputs };
}

/** As few inputs as must be known before running. */
function knownInputs(subject: Case): ReadonlySet<string> {
  const known = new Set<string>();
  for (const { name } of subject.graph.inputs.toReversed()) {
    try {
      build(subject, known);
      break;
    } catch (error) {
      if (!(error instanceof Error && /known before running|depends on the image/.test(error.message))) throw error;
      known.add(name);
    }
  }
  return known;
}

async function compareResults(subject: Case, known: ReadonlySet<string>): Promise<void> {
  const { g, variables, outputs } = build(subject, known);
  for (const [name, value] of Object.entries(outputs)) g.output(`out ${name}`, value);
  const session = await compile(g.build('case'), { device: 'cpu', threads: 1 });
  const feeds = variables.flatMap(({ name }) => (subject.inputs[name] ? [[name, subject.inputs[name]] as const] : []));
  const results = await session.run(Object.fromEntries(feeds));
  await session.close();
  for (const [name, expected] of Object.entries(subject.outputs)) {
    const found = results[`out ${name}`];
    if (!found) continue;
    if (found.dims.join() !== expected.dims.join())
      throw new Error(`${name} has shape [${found.dims.join(', ')}], the standard's is [${expected.dims.join(', ')}]`);
    const wanted = Array.from(expected.data, Number);
    const off = Array.from(found.data, Number).findIndex((value, i) => !isClose(value, wanted[i] ?? Number.NaN));
    if (off >= 0) throw new Error(`${name}[${off}] is ${found.data[off]}, the standard's ${wanted[off]}`);
  }
}

/** Within what the standard asks of float16, which it computes in. */
const isClose = (a: number, b: number): boolean =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= 5e-3 * (1 + Math.abs(b));

/** Tries a few points near the test's, in case it lies at a kink. */
async function compareGradients(name: string, subject: Case, known: ReadonlySet<string>): Promise<boolean> {
  for (const [attempt, spread] of [0, 0.1, 0.3, 1].entries()) {
    const { g, variables, outputs } = build(subject, known);
    const dtype = variables[0]?.value.dtype;
    const targets = Object.values(outputs);
    if ((dtype !== 'float32' && dtype !== 'float64') || !targets.some((y) => y.dtype === dtype && !y.constant))
      return false;
    if (variables.reduce((sum, { value }) => sum + sizeOf(value.shape), 0) > 20_000) return false;
    const rng = stream(attempt, name);
    const points = variables.map(({ name: input, value }) => {
      const base = Array.from(subject.inputs[input]?.data ?? [], Number);
      const held = base.map((x) => (Number.isFinite(x) ? Math.min(Math.max(x, -50), 50) : 0.5));
      return { value, at: held.map((x) => x + spread * (2 * rng.uniform() - 1)) };
    });
    const coarse = { ...tolerances[dtype], step: [0, 1e-3, 3e-4, 3e-3][attempt] ?? 0, first: 2e-2, second: 2e-2 };
    try {
      const gradients = subjectOf(name, dtype, g, points, targets, {}, rng);
      const near = { ...coarse, mixedStep: 1e-4, mixed: Number.POSITIVE_INFINITY };
      await checkSubject(gradients, attempt > 0 && dtype === 'float32' ? near : tolerances[dtype]);
      return true;
    } catch (error) {
      if (attempt === 3 || !(error instanceof Error) || error.name !== 'AssertionError') throw error;
    }
  }
  return false;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string', default: '' }, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [folder] = positionals;
  if (values.help || folder === undefined) {
    console.log(help);
    return;
  }
  const names = readdirSync(folder).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -'.onnx'.length)] : []));
  const counts = { cases: 0, agree: 0, differentiated: 0 };
  for (const name of names.filter((each) => each.includes(values.only)).sort()) {
    counts.cases++;
    try {
      const subject = await readCase(folder, name);
      const known = knownInputs(subject);
      await compareResults(subject, known);
      const isDifferentiated = await compareGradients(name, subject, known);
      counts.agree++;
      if (isDifferentiated) counts.differentiated++;
    } catch (error) {
      const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      console.log(`${name}: ${line.slice(0, 200)}`);
    }
  }
  console.log(`${counts.cases} cases, ${counts.agree} agree, gradients checked in ${counts.differentiated} of them`);
}

await main();
