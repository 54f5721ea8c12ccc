import type { Estimate } from '../contract/bridge.ts';
import { formatBytes, formatDuration } from './format.ts';

/* Guesses are said with the digits that they deserve. */

const units = [
  ['s', 1000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
] as const;

/** "3 min", "1.5 h", "40 s": at most two significant digits, in the unit that fits. */
export function roughDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 1000) return formatDuration(ms);
  const [unit, size] = units.findLast(([, each]) => ms >= 0.95 * each) ?? units[0];
  return `${roughly(ms / size)}\u00a0${unit}`;
}

/** "0.6 GB", "40 MB": decimal units, as disks are sold. */
export function roughBytes(bytes: number): string {
  if (bytes < 1e6) return formatBytes(bytes);
  return bytes < 9.5e8 ? `${roughly(bytes / 1e6)}\u00a0MB` : `${roughly(bytes / 1e9)}\u00a0GB`;
}

/** Two significant digits, or the half of a small number. */
function roughly(value: number): string {
  if (value >= 10) return Number(value.toPrecision(2)).toLocaleString('en');
  return String(Math.round(value * 2) / 2 || Number(value.toPrecision(1)));
}

/** "About 3 min (2 to 5 min), 1 GB of memory, 40 MB of disk. From …": what a run will take, in one line. */
export function estimateText({ time, memoryBytes, diskBytes, basis }: Estimate): string {
  const parts = [
    ...(time ? [`${roughDuration(time.likelyMs)} (${roughRange(time)})`] : []),
    ...(memoryBytes === null ? [] : [`${roughBytes(memoryBytes)} of memory`]),
    ...(diskBytes === null ? [] : [`${roughBytes(diskBytes)} of disk`]),
  ];
  return parts.length === 0 ? `${basis}.` : `About ${parts.join(', ')}. ${basis}.`;
}

/** "1.5 to 5 min": the unit once where both have it. */
export function roughRange({ lowMs, highMs }: { readonly lowMs: number; readonly highMs: number }): string {
  const [low, high] = [roughDuration(lowMs), roughDuration(highMs)];
  const [count = '', unit] = low.split('\u00a0');
  return high.endsWith(`\u00a0${unit}`) ? `${count} to ${high}` : `${low} to ${high}`;
}
