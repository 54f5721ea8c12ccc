// Mutated data files of every format through the readers. node bench/fuzz-data.ts [N, 5000] [TEXT]: N mutations of each seed
// whose title contains TEXT.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataSeeds, tryMutant } from '../core/data/testing/fuzz.ts';

const count = Number(process.argv[2] ?? '5000');
let failures = 0;
const text = process.argv[3] ?? '';
for (const seed of (await dataSeeds()).filter(({ title }) => title.includes(text))) {
  const inside = mkdtempSync(join(tmpdir(), 'palimpsest-fuzz-'));
  for (const [name, bytes] of Object.entries(seed.beside)) writeFileSync(join(inside, name), bytes);
  const kinds: Record<string, number> = {};
  const ms = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const before = performance.now();
    const verdict = await tryMutant(seed, index, inside);
    ms[index] = performance.now() - before;
    const kind = verdict.kind === 'refused' ? verdict.code : verdict.kind;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    if (verdict.kind === 'failed' && failures++ < 20) console.log(`FAILED ${seed.title} #${index}`, verdict.error);
  }
  rmSync(inside, { recursive: true });
  const sorted = ms.toSorted();
  const at = (q: number): string => (sorted[Math.floor(q * (count - 1))] ?? 0).toFixed(1);
  console.log(`${seed.title}: ${JSON.stringify(kinds)}, ms: median ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`);
}
if (failures > 0) process.exitCode = 1;
