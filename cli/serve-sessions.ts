import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../core/jobs/durable-files.ts';
import type { SessionStore } from './serve-access.ts';

const Stored = z.object({
  schema: z.literal('palimpsest.sessions/1'),
  savedAtMs: z.number(),
  /** SHA-256 of each session's secret, which cannot be found from it. */
  sessions: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
});

/** A page that was left open for longer has to be opened anew. */
const lifeMs = 7 * 24 * 60 * 60_000;

/** `sessions.json` of a workspace. When it is missing, damaged or old, nobody is let in by it. */
export function sessionFile(workspaceDir: string, now: () => number): SessionStore {
  const file = join(workspaceDir, 'sessions.json');
  return {
    read() {
      try {
        const stored = Stored.parse(JSON.parse(readFileSync(file, 'utf8')));
        return now() - stored.savedAtMs < lifeMs ? stored.sessions : [];
      } catch {
        return [];
      }
    },
    write(sessions) {
      const stored = { schema: 'palimpsest.sessions/1', savedAtMs: now(), sessions };
      writeDurably(file, [new TextEncoder().encode(`${JSON.stringify(stored)}\n`)]);
    },
  };
}
