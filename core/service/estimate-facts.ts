import { statSync } from 'node:fs';
import { z } from 'zod';
import { toWorkbenchError } from '../base/errors.ts';
import { DataCard } from '../contract/data-card.ts';
import { Cost } from '../contract/inspection.ts';
import type { DataRef } from '../contract/run.ts';
import { lookApart, type ApartCommand } from './apart.ts';
import type { DataFacts, Shape, Weighed } from './first-estimate.ts';

const Architecture = z.object({ cost: Cost.nullable(), parameters: z.int() });

/** What estimates ask for at every pause of the typing, looked up once: architectures, and data until they change. */
export interface EstimateFacts {
  architecture(name: string, shape: Shape, classes: number): Promise<Weighed | null>;
  describe(data: DataRef): Promise<DataFacts | null>;
}

const kept = 100;

export function estimateFacts(look: (command: ApartCommand) => Promise<unknown> = lookApart): EstimateFacts {
  const known = new Map<string, Promise<unknown>>();
  const once = async <T>(key: string, make: () => Promise<T>): Promise<T | null> => {
    const [oldest] = known.keys();
    if (!known.has(key) && known.size >= kept && oldest !== undefined) known.delete(oldest);
    // What cannot be read, or built for such images, the run says itself.
    const made = known.get(key) ?? make().catch((thrown: unknown) => void toWorkbenchError(thrown));
    known.set(key, made);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key holds the kind
    return ((await made) as T | undefined) ?? null;
  };
  return {
    async architecture(name, shape, classes) {
      const built = await once(JSON.stringify(['architecture', name, shape, classes]), async () =>
        Architecture.parse(await look({ kind: 'architecture', name, shape, classes })),
      );
      return built?.cost ? { cost: built.cost, parameters: built.parameters } : null;
    },
    async describe({ path, format, split }) {
      const stats = statSync(path, { throwIfNoEntry: false });
      const key = JSON.stringify(['data', path, format, split, stats?.size, stats?.mtimeMs]);
      const card = await once(key, async () =>
        DataCard.parse(await look({ kind: 'data', path, format, split, samples: 0, seed: 0 })),
      );
      return card && { count: card.count, shape: card.shape, classes: card.classes?.length ?? null };
    },
  };
}
