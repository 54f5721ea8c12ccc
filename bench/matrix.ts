// Holds a folder of classifier files against reference gradients. See help; reference/make_matrix.py makes such folders.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { toWorkbenchError } from '../core/base/errors.ts';
import { zeros, type Tensor } from '../core/base/tensor.ts';
import { openSafetensors } from '../core/data/safetensors.ts';
import { verifyGradients } from '../core/inspect/verify.ts';
import type { Graph } from '../core/onnx/graph.ts';
import { loadModel } from '../core/onnx/read.ts';
import { compile, type Session } from '../core/runtime/session.ts';
import { matrixTable } from './matrix-table.ts';

const help = `node bench/matrix.ts FOLDER [--only TEXT] [--jobs N] [--basic] [--json FILE [--more]] [--dry] [--markdown]

  FOLDER       NAME.onnx beside NAME.safetensors (x, label, logits, loss, dx, dp/<initialiser>, d2x)
  --only TEXT  files whose name contains TEXT; several, separated by commas
  --jobs N     files at the same time, each in a process of its own with one thread (1)
  --basic      without the optimisations of onnxruntime that take long on large graphs
  --json FILE  write everything measured
  --more       keep what FILE has, measure only the others
  --dry        build all graphs, run none: finds what is not covered, all in this process
  --markdown   print the table as docs/results.md has it, a line for each family
`;

/** What one file gave. Errors are relative L2; times are of this process alone, in milliseconds. */
const Outcome = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** Of all dp, the largest. */
  errors: z.record(z.string(), z.number().nullable()),
  parameters: z.number(),
  failures: z.array(z.string()),
  openMs: z.number(),
  /** Emitting and differentiating, without what onnxruntime does. */
  engineMs: z.number(),
  sessionMs: z.number(),
  runMs: z.number(),
  /** Nodes of the largest graph that was loaded. */
  nodes: z.number(),
  sizeMb: z.number(),
  peakMb: z.number(),
});
type Outcome = z.infer<typeof Outcome>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    json: { type: 'string' },
    one: { type: 'string' },
    more: { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
    basic: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
async function main(from: string): Promise<void> {
  const texts = values.only.split(',');
  const names = readdirSync(from)
    .flatMap((file) => (file.endsWith('.safetensors') ? [file.slice(0, -'.safetensors'.length)] : []))
    .filter((name) => existsSync(join(from, `${name}.onnx`)) && texts.some((text) => name.includes(text)))
    .sort();
  const outcomes: Outcome[] = values.more && values.json !== undefined ? earlier(values.json) : [];
  const known = new Set(outcomes.map(({ name }) => name));
  const waiting = names.filter((name) => !known.has(name)).values();
  const work = async (): Promise<void> => {
    for (const name of waiting) {
      const outcome = values.dry ? await measure(from, name) : await measureApart(from, name);
      outcomes.push(outcome);
      outcomes.sort((a, b) => (a.name < b.name ? -1 : 1));
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(outcomes, null, 1)}\n`);
      if (!values.markdown) process.stdout.write(`${line(outcome)}\n`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  if (values.markdown) process.stdout.write(matrixTable(outcomes));
  const failed = outcomes.filter(({ passed }) => !passed);
  process.stdout.write(`${outcomes.length - failed.length} passed, ${failed.length} failed\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

const earlier = (path: string): Outcome[] =>
  existsSync(path) ? z.array(Outcome).parse(JSON.parse(readFileSync(path, 'utf8'))) : [];

/** In a process of its own: a crash of one file is a line of the table, and its memory is measured alone. */
async function measureApart(from: string, name: string): Promise<Outcome> {
  try {
    const args = [fileURLToPath(import.meta.url), from, '--one', name, ...(values.basic ? ['--basic'] : [])];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26, timeout: 900_000 });
    return Outcome.parse(JSON.parse(stdout));
  } catch (thrown) {
    return { ...nothing(name), failures: [`the process ended: ${toWorkbenchError(thrown).message.slice(-300)}`] };
  }
}

const nothing = (name: string): Outcome => ({
  name,
  passed: false,
  errors: {},
  parameters: 0,
  failures: [],
  openMs: 0,
  engineMs: 0,
  sessionMs: 0,
  runMs: 0,
  nodes: 0,
  sizeMb: 0,
  peakMb: 0,
});

async function measure(from: string, name: string): Promise<Outcome> {
  const path = join(from, `${name}.onnx`);
  const result = { ...nothing(name), sizeMb: statSync(path).size / 2 ** 20 };
  try {
    const file = await openSafetensors(join(from, `${name}.safetensors`));
    const reference: Record<string, Tensor> = {};
    for (const key of file.entries.keys()) reference[key] = await file.read(key);
    await file.close();
    let start = performance.now();
    const model = await loadModel(path);
    result.openMs = performance.now() - start;
    start = performance.now();
    const { passed, comparisons, ignored } = await verifyGradients(model, reference, { open: timed(result) });
    result.engineMs = performance.now() - start - result.sessionMs - result.runMs;
    result.passed = passed || values.dry;
    if (values.dry) return result;
    for (const { name: tensor, relativeError, passed: isFine, note } of comparisons) {
      const kind = tensor.startsWith('dp/') ? 'dp' : tensor;
      if (kind === 'dp') result.parameters++;
      const before = result.errors[kind];
      const isZero = note?.includes('zero but for rounding') === true;
      if (!isZero)
        result.errors[kind] =
          before === undefined || before === null ? relativeError : Math.max(before, relativeError ?? Infinity);
      if (!isFine) result.failures.push(`${tensor} ${relativeError?.toExponential(1) ?? '?'} ${note ?? ''}`.trim());
    }
    if (ignored.length > 0) result.failures.push(`not looked at: ${ignored.join(', ')}`);
  } catch (thrown) {
    result.failures.push(toWorkbenchError(thrown).message);
  }
  return { ...result, peakMb: process.resourceUsage().maxRSS / 1024 };
}

/** Compiles as the command line does, on one thread, and adds up where the time goes. */
function timed(result: Outcome): (graph: Graph) => Promise<Session> {
  return async (graph) => {
    if (values.dry) return empty(result, graph);
    let start = performance.now();
    const session = await compile(graph, { device: 'cpu', threads: 1, optimization: values.basic ? 'basic' : 'all' });
    result.sessionMs += performance.now() - start;
    result.nodes = Math.max(result.nodes, graph.nodes.length);
    return {
      ...session,
      async run(feeds) {
        start = performance.now();
        const outputs = await session.run(feeds);
        result.runMs += performance.now() - start;
        return outputs;
      },
    };
  };
}

/** A session that has run nothing: zeros of the right shapes. */
function empty(result: Outcome, graph: Graph): Session {
  result.nodes = Math.max(result.nodes, graph.nodes.length);
  const outputs = graph.outputs.map(({ name, shape }): [string, Tensor] => {
    return [name, zeros((shape ?? []).map(Number))];
  });
  return {
    inputNames: graph.inputs.map(({ name }) => name),
    outputNames: outputs.map(([name]) => name),
    run: () => Promise.resolve(Object.fromEntries(outputs)),
    close: () => Promise.resolve(),
  };
}

const kinds = ['logits', 'loss', 'dx', 'dp', 'd2x'];
const short = (error: number | null | undefined): string =>
  error === null || error === undefined ? '–' : error.toExponential(1);
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1);

function line({ name, passed, errors, parameters, failures, ...rest }: Outcome): string {
  const figures = kinds.map((kind) => `${kind} ${short(errors[kind])}`).join(', ');
  const times = `open ${seconds(rest.openMs)} engine ${seconds(rest.engineMs)} session ${seconds(rest.sessionMs)} run ${seconds(rest.runMs)} s`;
  const where = `${rest.nodes} nodes, ${rest.peakMb.toFixed(0)} MB`;
  const why = failures.slice(0, 4).map((failure) => `\n    ${failure.slice(0, 400)}`);
  return `${passed ? 'ok  ' : 'FAIL'} ${name}: ${figures} (${parameters} dp); ${times}; ${where}${why.join('')}`;
}

const [folder] = positionals;
if (values.help || folder === undefined) process.stdout.write(help);
else if (values.one !== undefined) process.stdout.write(JSON.stringify(await measure(folder, values.one)));
else await main(folder);
