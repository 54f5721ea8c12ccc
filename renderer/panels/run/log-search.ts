import type { LogLine } from '../../bridge/run-state.ts';

/** Lines that hold every word asked for, in any case; "warning" finds warnings. All while nothing is asked. */
export function matching(lines: readonly LogLine[], asked: string): readonly LogLine[] {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return lines;
  return lines.filter(({ level, message }) => {
    const text = `${level === 'warning' ? 'warning: ' : ''}${message}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
