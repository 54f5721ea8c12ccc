// Large files against their bars: time and memory of opening them, in fresh processes. See help.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { gradientModel } from '../core/inspect/gradient-model.ts';
import { cutAtLogits, openClassifier } from '../core/onnx/classifier.ts';
import { loadModel } from '../core/onnx/read.ts';
import { writeModel } from '../core/onnx/write.ts';
import { loadLimitsFor, probeModel } from '../core/runtime/isolated-load.ts';
import { resnet50, wideLayers, writeWide } from './large-models.ts';

const help = `node bench/open-large.ts [--only TEXT] [--rounds N] [--folder DIR] [--json FILE]

  --only TEXT   scenarios whose name contains TEXT
  --rounds N    fresh processes for each figure of time (3); the median counts
  --folder DIR  where the files are made, 2 GB at a time, and deleted (the temporary folder)
  --json FILE   write the figures

Exit code 1 when a bar is missed.
`;

/** Milliseconds by the clock on the wall, and of the processor (all threads): on a busy machine the two lie far apart. */
const Took = z.object({ wallMs: z.number(), cpuMs: z.number() });
type Took = z.infer<typeof Took>;

/** What one process gave. */
const Sample = z.object({
  /** The steps that the bar is about, by name. */
  steps: z.record(z.string(), Took),
  /** The whole process. */
  ...Took.shape,
  /** The most memory that it held at once, mapped files included. */
  peakBytes: z.number(),
});
type Sample = z.infer<typeof Sample>;

interface Scenario {
  readonly name: string;
  readonly file: 'resnet50' | 'wide, inside' | 'wide, beside';
  readonly mode: 'inspect' | 'engine' | 'engine2' | 'open' | 'load';
  /** Milliseconds of the process, or of its steps together. */
  readonly timeBar?: readonly [of: 'process' | 'steps', ms: number];
  /** Times the size of the model. */
  readonly memoryBar?: number;
}

const scenarios: readonly Scenario[] = [
  { name: 'palimpsest inspect, 102 MB', file: 'resnet50', mode: 'inspect', timeBar: ['process', 3000] },
  { name: 'ResNet-50, first order: parse to serialise', file: 'resnet50', mode: 'engine', timeBar: ['steps', 2000] },
  { name: 'ResNet-50, second order: parse to serialise', file: 'resnet50', mode: 'engine2' },
  { name: 'palimpsest inspect, 1.9 GB, one file', file: 'wide, inside', mode: 'inspect', memoryBar: 2 },
  { name: 'open for a method, 1.9 GB, one file', file: 'wide, inside', mode: 'open', memoryBar: 2 },
  { name: 'first load apart with onnxruntime, 1.9 GB, one file', file: 'wide, inside', mode: 'load' },
  { name: 'palimpsest inspect, 1.9 GB, weights beside', file: 'wide, beside', mode: 'inspect', memoryBar: 2 },
  { name: 'open for a method, 1.9 GB, weights beside', file: 'wide, beside', mode: 'open', memoryBar: 2 },
  { name: 'first load apart with onnxruntime, 1.9 GB, weights beside', file: 'wide, beside', mode: 'load' },
];

interface Row {
  readonly name: string;
  readonly modelBytes: number;
  readonly median: Sample;
  readonly samples: readonly Sample[];
  readonly bar: string;
  readonly isMet: boolean | undefined;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    one: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const wanted = scenarios.filter(({ name }) => name.includes(values.only));
  const rows: Row[] = [];
  for (const [file, group] of Map.groupBy(wanted, (scenario) => scenario.file)) {
    const folder = mkdtempSync(join(values.folder, 'palimpsest-large-'));
    try {
      const modelBytes = make(file, folder);
      for (const scenario of group) {
        const row = await measure(scenario, join(folder, 'model.onnx'), modelBytes);
        rows.push(row);
        process.stdout.write(`${line(row)}\n`);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  if (values.json !== undefined) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
    writeFileSync(values.json, `${JSON.stringify({ date: new Date().toISOString(), machine, rows }, undefined, 2)}\n`);
  }
  process.stdout.write(`\n${table(rows)}`);
  if (rows.some(({ isMet }) => isMet === false)) process.exitCode = 1;
}

/** Bytes of the model, in all its files. */
function make(file: Scenario['file'], folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < 4e9) throw new Error(`Expected 4 GB free in ${folder}; choose another place with --folder`);
  const path = join(folder, 'model.onnx');
  if (file !== 'resnet50') return writeWide(path, wideLayers, file === 'wide, inside' ? 'inside' : 'beside');
  writeFileSync(path, writeModel(resnet50()));
  return statSync(path).size;
}

async function measure(scenario: Scenario, path: string, modelBytes: number): Promise<Row> {
  const { name, mode, timeBar, memoryBar } = scenario;
  const samples: Sample[] = [];
  for (let round = 0; round < Number(values.rounds); round++) samples.push(await sampleOf(mode, path));
  const [of] = timeBar ?? ['process'];
  const counted = (sample: Sample): number => (of === 'process' ? sample : total(sample)).wallMs;
  const byTime = samples.toSorted((a, b) => counted(a) - counted(b));
  const median = byTime[byTime.length >> 1];
  if (!median) throw new Error('Expected at least one round');
  const peakBytes = Math.max(...samples.map((sample) => sample.peakBytes));
  return {
    name,
    modelBytes,
    median: { ...median, peakBytes },
    samples,
    bar: timeBar ? `≤ ${timeBar[1] / 1000} s` : memoryBar ? `≤ ${memoryBar} × its size` : '–',
    isMet: timeBar ? counted(median) <= timeBar[1] : memoryBar ? peakBytes <= memoryBar * modelBytes : undefined,
  };
}

const total = ({ steps }: Sample): Took => ({
  wallMs: Object.values(steps).reduce((sum, { wallMs }) => sum + wallMs, 0),
  cpuMs: Object.values(steps).reduce((sum, { cpuMs }) => sum + cpuMs, 0),
});

/** Writes what the process took to its fourth stream. Elsewhere than on Linux the peak may be that of its parent. */
const reporter = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync, writeFileSync } from 'node:fs';
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const peak = process.platform === 'linux'
      ? /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
      : process.resourceUsage().maxRSS;
    writeFileSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, peakBytes: 1024 * Number(peak) }));
  });
`)}`;

async function sampleOf(mode: Scenario['mode'], path: string): Promise<Sample> {
  const place = (of: string): string => fileURLToPath(new URL(of, import.meta.url));
  const args =
    mode === 'inspect'
      ? [place('../cli/main.ts'), 'inspect', path, '--json']
      : [place('open-large.ts'), '--one', mode, path];
  const started = performance.now();
  const child = spawn(process.execPath, ['--no-warnings', '--import', reporter, ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const [, output, , reports] = child.stdio;
  if (!output || !(reports instanceof Readable)) throw new Error('Expected two streams from the process');
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | string>();
  child.once('error', reject);
  child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
  const [said, taken, how] = await Promise.all([text(output), text(reports), ended]);
  if (how !== 0) throw new Error(`${mode} of ${path} ended with ${how}: ${said.slice(0, 2000)}`);
  const wallMs = performance.now() - started;
  const answer: unknown = JSON.parse(said);
  const own = z.object({ steps: Sample.shape.steps, peakBytes: z.number().optional() }).safeParse(answer);
  return Sample.parse({ steps: {}, wallMs, ...Object(JSON.parse(taken)), ...own.data });
}

/** The work of one process of ours. */
async function work(mode: string, path: string): Promise<Partial<Sample>> {
  const steps: Record<string, Took> = {};
  const now = (): Took => {
    const { user, system } = process.cpuUsage();
    return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
  };
  let last = now();
  const lap = (name: string): void => {
    const { wallMs, cpuMs } = now();
    steps[name] = { wallMs: wallMs - last.wallMs, cpuMs: cpuMs - last.cpuMs };
    last = { wallMs, cpuMs };
  };
  if (mode === 'open') {
    const { model } = await openClassifier(path);
    const graph = cutAtLogits(model);
    lap(`open ${graph.nodes.length} nodes`);
    return { steps };
  }
  if (mode === 'load') {
    // A busy machine may take longer than a user would wait.
    const limits = { ...loadLimitsFor(path), wallMs: 900_000 };
    const result = await probeModel(path, { elapsed: () => performance.now() }, limits);
    if (result.kind !== 'passed') throw new Error(`The file did not pass: ${JSON.stringify(result)}`);
    lap('load');
    return { steps, peakBytes: result.usage?.memoryBytes ?? 0 };
  }
  const model = await loadModel(path);
  lap('read and check');
  const request = { of: 'cross-entropy', wrt: ['input', 'parameters'], order: mode === 'engine2' ? 2 : 1 } as const;
  const { model: derived } = gradientModel(model, request);
  lap('lift and differentiate');
  writeModel(derived);
  lap('serialise');
  return { steps };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const both = ({ wallMs, cpuMs }: Took): string => `${seconds(wallMs)} (${seconds(cpuMs)})`;

function line({ name, modelBytes, median, samples, bar, isMet }: Row): string {
  const steps = Object.entries(median.steps).map(([step, took]) => `, ${step} ${both(took)}`);
  const verdict = isMet === undefined ? '' : isMet ? ', met' : ', MISSED';
  return `${name}: ${samples.map(both).join(' ')}${steps.join('')}, ${peakOf(median, modelBytes)}, bar ${bar}${verdict}`;
}

const peakOf = ({ peakBytes }: Sample, modelBytes: number): string =>
  `${(peakBytes / 1e6).toFixed(0)} MB (${(peakBytes / modelBytes).toFixed(2)} ×)`;

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, modelBytes, median, bar, isMet }) => {
    const steps = Object.keys(median.steps).length > 0 ? both(total(median)) : '–';
    const met = isMet === undefined ? '–' : isMet ? 'yes' : 'no';
    const cells = [name, both(median), steps, peakOf(median, modelBytes), bar, met];
    return `| ${cells.join(' | ')} |\n`;
  });
  const head = ['Scenario', 'Process (processor)', 'Steps (processor)', 'Peak memory', 'Bar', 'Met'];
  return `| ${head.join(' | ')} |\n|${head.map(() => ' --- |').join('')}\n${lines.join('')}`;
}

const [path] = positionals;
if (values.help) process.stdout.write(help);
else if (values.one !== undefined && path !== undefined) {
  process.stdout.write(JSON.stringify(await work(values.one, path)));
} else await main();
