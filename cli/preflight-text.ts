import type { Preflight } from '../core/contract/preflight.ts';
import { roughDuration } from '../core/report/estimate-text.ts';
import { columnsOf } from './terminal.ts';

/** Facts in columns, then each check with what was measured, from where on it matters, and what to do. */
export function preflightText({ facts, checks, likelyMs }: Preflight): string {
  const time: readonly string[][] = likelyMs === null ? [] : [['Attacks', `about ${roughDuration(likelyMs)}`]];
  const lines = checks.flatMap(({ isGood, finding, measured, threshold, advice }) => [
    `${isGood ? 'ok' : 'warning'}: ${finding}`,
    ...(measured === '' ? [] : [`    measured: ${measured}`]),
    ...(threshold === '' ? [] : [`    matters from: ${threshold}`]),
    ...(advice === '' ? [] : [`    hint: ${advice}`]),
  ]);
  return `${[...columnsOf([...facts, ...time]), '', ...lines].join('\n')}\n`;
}
