// Mutated models through our own reader, and through onnxruntime in processes of their own.
import { writeFileSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { judge, mutantMaker, type Verdict } from '../core/onnx/testing/fuzz.ts';
import { openLoader, type ProbeResult } from '../core/runtime/isolated-load.ts';

const help = `node bench/fuzz-onnx.ts [--parse N] [--load N] [--seed S] [--jobs N] [--minutes M] [--wait S] [--json FILE]

  --parse N     mutated models through reader, rules and the search for a classifier (1000000)
  --load N      mutated models through a loading process, onnxruntime included (20000)
  --seed S      of the mutations (1); the same seed and number give the same file
  --jobs N      side by side (half of the cores, at least one)
  --minutes M   each part ends after so long, with what it has done (10)
  --wait S      seconds after which a load counts as a hang (10); more on a busy machine, where 10 of the processor count
  --json FILE   write the figures

Exit code 1 when something other than a refusal happened. Run it with a low priority. How far the reader is, it says each
minute. On a busy machine look at the times of the processor.
`;

interface Task {
  readonly seed: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
  readonly minutes: number;
  /** Milliseconds after which a load counts as a hang. */
  readonly waitMs: number;
}

interface Outcome {
  readonly done: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** Milliseconds of each file, by the clock on the wall. */
  readonly ms: Float32Array;
  /** Milliseconds of processor time of each file; empty where another process did the work. */
  readonly cpuMs: Float32Array;
  readonly slowest: readonly (readonly [index: number, ms: number])[];
  readonly failures: readonly string[];
}

/** Files between looks at the clock. */
const lookEvery = 64;
const sayEveryMs = 60_000;
const slowestKept = 5;

class Tally {
  readonly #kinds: Record<string, number> = {};
  readonly #ms: Float32Array;
  readonly #cpuMs: Float32Array;
  readonly #failures: string[] = [];
  #slowest: (readonly [number, number])[] = [];
  #done = 0;

  constructor(count: number, { withCpu }: { withCpu: boolean }) {
    this.#ms = new Float32Array(count);
    this.#cpuMs = new Float32Array(withCpu ? count : 0);
  }

  add(index: number, kind: string, { ms, cpuMs = 0 }: { ms: number; cpuMs?: number }, failure?: string): void {
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + 1;
    this.#cpuMs[this.#done] = cpuMs;
    this.#ms[this.#done++] = ms;
    if (failure !== undefined && this.#failures.length < 20) this.#failures.push(`#${index}: ${failure}`);
    if (ms > (this.#slowest.at(-1)?.[1] ?? 0) || this.#slowest.length < slowestKept) {
      this.#slowest = [...this.#slowest, [index, ms] as const].sort(([, a], [, b]) => b - a).slice(0, slowestKept);
    }
  }

  outcome(): Outcome {
    const [ms, cpuMs] = [this.#ms.slice(0, this.#done), this.#cpuMs.slice(0, this.#done)];
    return { done: this.#done, kinds: this.#kinds, ms, cpuMs, slowest: this.#slowest, failures: this.#failures };
  }
}

function taskOf(data: unknown): Task {
  const { seed, first, step, count, minutes, waitMs } = Object(data);
  return {
    seed: Number(seed),
    first: Number(first),
    step: Number(step),
    count: Number(count),
    minutes: Number(minutes),
    waitMs: Number(waitMs),
  };
}

function parseMany({ seed, first, step, count, minutes }: Task): Outcome {
  const make = mutantMaker(seed);
  const tally = new Tally(Math.ceil((count - first) / step), { withCpu: true });
  const until = performance.now() + minutes * 60_000;
  let sayAt = performance.now() + sayEveryMs;
  for (let index = first, n = 0; index < count; index += step, n++) {
    if (n % lookEvery === 0 && performance.now() > until) break;
    if (performance.now() > sayAt) {
      // Not console.error: in a thread that never rests it would wait for its turn.
      writeSync(2, `${n} files read, ${count - index} numbers to go\n`);
      sayAt += sayEveryMs;
    }
    const bytes = make(index);
    const [before, cpuBefore] = [performance.now(), cpuMsOfThread()];
    const verdict = judge(bytes);
    const took = { ms: performance.now() - before, cpuMs: cpuMsOfThread() - cpuBefore };
    tally.add(index, kindOf(verdict), took, failureOf(verdict));
  }
  return tally.outcome();
}

function cpuMsOfThread(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const kindOf = (verdict: Verdict): string => (verdict.kind === 'refused' ? verdict.by : verdict.kind);

function failureOf(verdict: Verdict): string | undefined {
  if (verdict.kind !== 'failed') return undefined;
  return verdict.error instanceof Error ? (verdict.error.stack ?? verdict.error.message) : String(verdict.error);
}

/** The bar: nothing takes longer. */
const hangMs = 10_000;

async function loadMany({ seed, first, step, count, minutes, waitMs }: Task): Promise<Outcome & { processes: number }> {
  const make = mutantMaker(seed);
  const tally = new Tally(Math.ceil((count - first) / step), { withCpu: false });
  const elapsed = (): number => performance.now();
  const until = elapsed() + minutes * 60_000;
  const loader = openLoader({ elapsed });
  const loadLimits = { wallMs: waitMs, cpuMs: hangMs, memoryBytes: 2 ** 30 };
  try {
    for (let index = first; index < count && elapsed() < until; index += step) {
      const result = await loader.load({ bytes: make(index) }, loadLimits);
      tally.add(index, fateOf(result), { ms: result.wallMs }, complaintOf(result));
    }
  } finally {
    await loader.close();
  }
  return { ...tally.outcome(), processes: loader.processCount };
}

function fateOf(result: ProbeResult): string {
  if (result.kind === 'stopped') return `stopped: ${result.over}`;
  if (result.kind === 'crashed') return `crashed: ${result.how}`;
  if (result.kind === 'refused') return `refused: ${result.error.code}`;
  return result.report.notRun === undefined ? 'run' : 'loaded';
}

/** Only a hang breaks the bar: what a file does to its process is what the process is for. */
const complaintOf = (result: ProbeResult): string | undefined =>
  result.kind === 'stopped' && result.over !== 'memory' ? `took too much ${result.over}` : undefined;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      parse: { type: 'string', default: '1000000' },
      load: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(Math.max(1, availableParallelism() >> 1)) },
      minutes: { type: 'string', default: '10' },
      wait: { type: 'string', default: String(hangMs / 1000) },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const jobs = Number(values.jobs);
  const tasks = (count: string): Task[] =>
    Array.from({ length: jobs }, (_, first) => ({
      seed: Number(values.seed),
      first,
      step: jobs,
      count: Number(count),
      minutes: Number(values.minutes),
      waitMs: 1000 * Number(values.wait),
    }));
  const started = performance.now();
  const parsed = merge(await Promise.all(tasks(values.parse).map(inThread)));
  const between = performance.now();
  print('reader and rules', parsed, between - started);
  const loaded = await Promise.all(tasks(values.load).map(loadMany));
  const processes = loaded.reduce((sum, each) => sum + each.processes, 0);
  const all = merge(loaded);
  print(`loading processes (${processes} of them)`, all, performance.now() - between);
  if (values.json !== undefined) {
    const plain = (outcome: Outcome) => ({ ...outcome, ms: quantiles(outcome.ms), cpuMs: quantiles(outcome.cpuMs) });
    writeFileSync(
      values.json,
      `${JSON.stringify({ parsed: plain(parsed), loaded: { ...plain(all), processes } }, null, 2)}\n`,
    );
  }
  if (parsed.failures.length + all.failures.length > 0) process.exitCode = 1;
}

function inThread(task: Task): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  worker.once('message', resolve);
  worker.once('error', reject);
  return promise;
}

function merge(outcomes: readonly Outcome[]): Outcome {
  const kinds: Record<string, number> = {};
  for (const outcome of outcomes) {
    for (const [kind, count] of Object.entries(outcome.kinds)) kinds[kind] = (kinds[kind] ?? 0) + count;
  }
  const done = outcomes.reduce((sum, outcome) => sum + outcome.done, 0);
  const joined = (parts: readonly Float32Array[]): Float32Array =>
    Float32Array.from(parts.flatMap((part) => [...part]));
  const slowest = outcomes.flatMap((outcome) => outcome.slowest).sort(([, a], [, b]) => b - a);
  return {
    done,
    kinds,
    ms: joined(outcomes.map(({ ms }) => ms)),
    cpuMs: joined(outcomes.map(({ cpuMs }) => cpuMs)),
    slowest: slowest.slice(0, slowestKept),
    failures: outcomes.flatMap((each) => each.failures),
  };
}

function quantiles(ms: Float32Array): Record<string, number> {
  const sorted = ms.toSorted();
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return { median: at(0.5), p99: at(0.99), p999: at(0.999), max: sorted.at(-1) ?? 0 };
}

function print(title: string, { done, kinds, ms, cpuMs, slowest, failures }: Outcome, tookMs: number): void {
  const figures = (of: Float32Array): string =>
    Object.values(quantiles(of))
      .map((value) => value.toFixed(2))
      .join(', ');
  console.log(`${done.toLocaleString('en-US')} files in ${(tookMs / 1000).toFixed(0)} s, ${title}`);
  console.log(`  ms of median, p99, p99.9, max: ${figures(ms)}; slowest: ${slowest.map(([i]) => `#${i}`).join(' ')}`);
  if (cpuMs.length > 0) console.log(`  the same of the processor: ${figures(cpuMs)}`);
  for (const [kind, count] of Object.entries(kinds).sort(([, a], [, b]) => b - a)) console.log(`  ${kind}: ${count}`);
  for (const failure of failures) console.log(`  FAILED ${failure}`);
}

if (isMainThread) await main();
else send(parseMany(taskOf(workerData)));

function send(outcome: Outcome): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(outcome);
}
