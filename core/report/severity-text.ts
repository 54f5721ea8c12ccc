import { formatNumber } from './format.ts';
import type { Estimate, SeverityRow } from './severity.ts';

export const budgetText = ({ norm, epsilon }: Pick<SeverityRow, 'norm' | 'epsilon'>): string =>
  epsilon === null ? `${norm}, smallest` : `${norm} ${formatNumber(epsilon)}`;

/** "0.56 – 0.64"; empty where there is no interval. */
export const intervalText = (estimate: Estimate | undefined, factor = 1, digits = 2): string =>
  typeof estimate?.low !== 'number' || typeof estimate.high !== 'number'
    ? ''
    : [estimate.low, estimate.high].map((value) => (factor * value).toFixed(digits).replace('-', '\u2212')).join(' – ');
