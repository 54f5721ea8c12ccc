import { WorkbenchError } from '../base/errors.ts';
import type { Connection } from './connection.ts';

/** Digits and letters that cannot be taken for one another. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** `20261122-101530-k3f9`: UTC time of creation and four random characters. `random` is uniform in [0, 1). */
export function newRunId(atMs: number, random: () => number): string {
  const time = new Date(atMs).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const tail = Array.from({ length: 4 }, () => alphabet[Math.floor(random() * alphabet.length)] ?? '0').join('');
  return `${time}-${tail}`;
}

/**
 * The run that is meant by a whole id, by an unambiguous beginning, or by its last four characters.
 * @throws RUN_UNKNOWN with the runs that it could mean, or the closest and newest ones.
 */
export function resolveRunId(db: Connection, wanted: string): string {
  const text = wanted.toLowerCase();
  const ids = db.prepare<[], string>('SELECT run_id FROM runs ORDER BY run_id DESC').pluck().all();
  if (ids.includes(text)) return text;
  const matches = text === '' ? [] : ids.filter((id) => id.startsWith(text) || id.endsWith(`-${text}`));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  if (matches.length > 1) {
    throw new WorkbenchError('RUN_UNKNOWN', `"${wanted}" fits ${matches.length} runs`, {
      hint: `Give more of its id: ${matches.slice(0, 5).join(', ')}${matches.length > 5 ? ' …' : ''}`,
    });
  }
  const close = closest(text, ids.slice(0, 1000), 3);
  throw new WorkbenchError('RUN_UNKNOWN', `There is no run "${wanted}" in this workspace`, {
    hint: close.length === 0 ? 'It holds no runs yet.' : `Close to it: ${close.join(', ')}. See \`palimpsest list\`.`,
  });
}

function closest(text: string, ids: readonly string[], count: number): string[] {
  return ids
    .map((id) => ({ id, distance: editDistance(text, id) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map((entry) => entry.id);
}

/** Levenshtein: insertions, deletions and replacements that lead from one text to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
