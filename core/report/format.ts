/** Numbers, sizes and times as readers see them. Independent of the locale, so that a report is the same everywhere. */

/** Before a percent sign, and before other units; neither lets a line end there. */
const narrowSpace = '\u202f';
const space = '\u00a0';
const minus = '\u2212';
export const missing = '–';

function group(digits: string): string {
  const [whole = '', decimals] = digits.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return decimals === undefined ? grouped : `${grouped}.${decimals}`;
}

function notFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '∞' : `${minus}∞`;
}

/** A fixed number of decimals, grouped in thousands; a value that rounds to zero loses its sign. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return notFinite(value);
  if (Math.abs(value) >= 1e15) return formatScientific(value, 3);
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? minus : '') + group(text);
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

export function formatPowerOfTen(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)] ?? digit).join('');
  return `10${exponent < 0 ? '⁻' : ''}${digits}`;
}

/** For instance 1.25×10⁻⁵. */
function formatScientific(value: number, significant = 3): string {
  if (!Number.isFinite(value)) return notFinite(value);
  const [mantissa = '0', exponent = '0'] = Math.abs(value)
    .toExponential(significant - 1)
    .split('e');
  const trimmed = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  return `${value < 0 ? minus : ''}${trimmed}×${formatPowerOfTen(Number(exponent))}`;
}

/** Whole numbers in full, others to four significant digits; very small ones as a power of ten. */
export function formatNumber(value: number | null): string {
  if (value === null) return missing;
  if (!Number.isFinite(value)) return notFinite(value);
  const size = Math.abs(value);
  if (Number.isInteger(value)) return formatFixed(value, 0);
  if (size < 1e-4) return formatScientific(value);
  const digits = size >= 1000 ? 1 : 3 - Math.floor(Math.log10(size));
  const text = formatFixed(value, digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Decimals of a percentage: one, or two where one would hide how far it is from 0 or 100 %. */
function percentDigits(fraction: number): 1 | 2 {
  const size = Math.abs(fraction);
  return (size > 0 && size < 0.01) || (size > 0.99 && size < 1) ? 2 : 1;
}

/** 0.939 → "93.9 %". */
export function formatFraction(value: number, digits: number = percentDigits(value)): string {
  return Number.isFinite(value) ? `${formatFixed(value * 100, digits)}${narrowSpace}%` : notFinite(value);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** 840 ms, 12.3 s, 4 min 05 s, 2 h 03 min, 3 d 04 h. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return notFinite(ms);
  if (ms < 0) return `${minus}${formatDuration(-ms)}`;
  if (Math.round(ms) < 1000) return `${Math.round(ms)}${space}ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}${space}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${space}min${space}${two(seconds % 60)}${space}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}${space}h${space}${two(minutes % 60)}${space}min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}${space}d${space}${two(hours % 24)}${space}h`;
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Binary units with three significant digits: 61,706 → "60.3 KiB". */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return notFinite(bytes);
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 ? 0 : Math.abs(value) < 9.995 ? 2 : Math.abs(value) < 99.95 ? 1 : 0;
  return `${formatFixed(value, digits)}${space}${byteUnits[unit] ?? ''}`;
}

/** First twelve digits: enough to compare by eye; the full sum stands in the JSON file and in the title attribute. */
export function shortSha(sha256: string): string {
  return sha256.length > 12 ? `${sha256.slice(0, 12)}…` : sha256;
}

/** Milliseconds since 1970 → "2026-11-22 10:04:20 UTC", or to the minute. */
export function formatInstant(ms: number, precision: 'second' | 'minute' = 'second'): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return missing;
  return `${date
    .toISOString()
    .slice(0, precision === 'minute' ? 16 : 19)
    .replace('T', ' ')} UTC`;
}

/** A value with its unit, as it stands in a sentence or a card. */
export function formatValue(value: number | null, unit: string): string {
  if (value === null) return missing;
  if (unit === 'fraction') return formatFraction(value);
  if (unit === 'ms') return formatDuration(value);
  if (unit === 'bytes') return formatBytes(value);
  return unitSuffix(unit) === '' ? formatNumber(value) : `${formatNumber(value)}${space}${unitSuffix(unit)}`;
}

/** Values that stand next to each other: where they are of like size, with the same number of decimals. */
export function formatAlike(values: readonly (number | null)[], unit: string): readonly string[] {
  const known = values.flatMap((value) => (value === null || !Number.isFinite(value) ? [] : [value]));
  const digits = ['fraction', 'ms', 'bytes'].includes(unit) ? undefined : commonDigits(known);
  return values.map((value) => {
    if (digits === undefined || value === null || !Number.isFinite(value)) return formatValue(value, unit);
    const suffix = unitSuffix(unit);
    return suffix === '' ? formatFixed(value, digits) : `${formatFixed(value, digits)}${space}${suffix}`;
  });
}

/** "93.4 – 94.4 %", with the decimals that the value itself is shown with. */
export function formatInterval(interval: readonly [number, number], unit: string, value: number | null): string {
  const [low, high] = interval;
  if (unit === 'fraction') {
    const digits = percentDigits(value ?? low);
    return `${formatFixed(low * 100, digits)} – ${formatFixed(high * 100, digits)}${narrowSpace}%`;
  }
  if (unit === 'ms' || unit === 'bytes') return `${formatValue(low, unit)} – ${formatValue(high, unit)}`;
  const digits = commonDigits([low, high]);
  const write = (end: number) => (digits === undefined ? formatNumber(end) : formatFixed(end, digits));
  const suffix = unitSuffix(unit);
  return `${write(low)} – ${write(high)}${suffix === '' ? '' : space + suffix}`;
}

function unitSuffix(unit: string | undefined): string {
  if (unit === undefined || unit === '1') return '';
  return unit === 'fraction' ? '%' : unit;
}

/** Head of a column or an axis: "Test accuracy (%)". */
export function titleWithUnit(title: string, unit: string | undefined): string {
  const suffix = unitSuffix(unit);
  return suffix === '' ? title : `${title} (${suffix})`;
}

/** What a stored number is multiplied with before it stands under such a head. */
export function shownScale(unit: string | undefined): number {
  return unit === 'fraction' ? 100 : 1;
}

/** Decimals of a column of percentages: one, or two where one would round; undefined where two would not do either. */
export function commonPercentDigits(percents: readonly number[]): number | undefined {
  const finite = percents.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  if (finite.some((value) => value < 0.005)) return undefined;
  return finite.every((value) => Math.abs(Number(value.toFixed(1)) - value) < 1e-9) ? 1 : 2;
}

/**
 * Decimals that show a whole column alike: as few as keep the values as they are, at most four significant digits of
 * the largest. undefined: the values differ too much in size for that, so each is formatted on its own.
 */
export function commonDigits(values: readonly number[]): number | undefined {
  const finite = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  if (finite.every(Number.isInteger)) return 0;
  const largest = Math.max(...finite);
  const most = Math.min(6, Math.max(1, 3 - Math.floor(Math.log10(largest))));
  if (finite.some((value) => value < 0.5 * 10 ** -most)) return undefined;
  for (let digits = 1; digits < most; digits++) {
    if (finite.every((value) => Math.abs(Number(value.toFixed(digits)) - value) < 1e-9 * largest)) return digits;
  }
  return most;
}
