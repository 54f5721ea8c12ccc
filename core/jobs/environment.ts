import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, release } from 'node:os';
import { z } from 'zod';
import type { Environment } from '../contract/run.ts';

/** What of an environment the machine knows by itself. */
export type Machine = Pick<Environment, 'palimpsest' | 'node' | 'onnxruntime' | 'platform' | 'cpu' | 'cores'>;

const Package = z.object({ version: z.string() });

function versionIn(path: string | URL): string {
  return Package.parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}

/** Versions, platform and processor of this process. */
export function describeMachine(): Machine {
  const require = createRequire(import.meta.url);
  return {
    palimpsest: versionIn(new URL('../../package.json', import.meta.url)),
    node: process.versions.node,
    onnxruntime: versionIn(require.resolve('onnxruntime-node/package.json')),
    platform: `${process.platform}-${process.arch} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
  };
}
