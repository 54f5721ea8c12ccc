import { statSync } from 'node:fs';
import { ModelInspection } from '../contract/inspection.ts';
import type { SpeedFacts } from '../contract/machine.ts';
import { lookApart } from './apart.ts';
import { measuredSpeeds } from './machine.ts';

export type Inspect = (path: string, dims?: Readonly<Record<string, number>>) => Promise<ModelInspection>;

const kept = 20;

/** Inspects each file once, until it changes: a form asks about the same model at every pause of the typing. */
export function inspector(workspaceDir: string): Inspect {
  const known = new Map<string, Promise<ModelInspection>>();
  return async (path, dims = {}) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    const [speed] = measuredSpeeds(workspaceDir);
    const key = JSON.stringify([path, dims, stats?.size, stats?.mtimeMs, speed]);
    const before = known.get(key);
    if (before) return before;
    const found = look(path, dims, speed);
    known.set(key, found);
    const [oldest] = known.keys();
    if (known.size > kept && oldest !== undefined) known.delete(oldest);
    try {
      return await found;
    } catch (thrown) {
      known.delete(key);
      throw thrown;
    }
  };
}

async function look(
  path: string,
  dims: Readonly<Record<string, number>>,
  speed: SpeedFacts | undefined,
): Promise<ModelInspection> {
  return ModelInspection.parse(await lookApart({ kind: 'model', path, dims, ...(speed ? { speed } : {}) }));
}
