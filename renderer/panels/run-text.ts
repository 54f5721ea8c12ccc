import type { RunRow } from '../../core/contract/history.ts';
import type { RunState } from '../../core/contract/run.ts';
import { catalogue } from '../../core/methods/catalogue.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { kebabCase } from '../../core/methods/parameters.ts';
import { formatInstant, formatValue } from '../../core/report/format.ts';

/** How runs are named wherever they are listed. A method that is not known here keeps its id. */

export function specOf(methodId: string): MethodSpec | undefined {
  return catalogue.find((spec) => spec.id === methodId);
}

export function runTitle(row: Pick<RunRow, 'methodId' | 'recipe'>): string {
  const spec = specOf(row.methodId);
  const recipe = row.recipe === null ? undefined : (spec?.recipes[row.recipe]?.title ?? row.recipe);
  const title = spec?.title ?? row.methodId;
  return recipe === undefined ? title : `${title}, ${lowerFirst(recipe)}`;
}

/** "lenet5-mnist → lenet5-half · test": names of files without what all of them end in. */
export function runSubjects(row: Pick<RunRow, 'models' | 'data'>): string {
  const models = Object.values(row.models)
    .map((name) => name.replace(/\.onnx$/i, ''))
    .join(' → ');
  const data = Object.values(row.data).join(', ');
  return data === '' ? models : `${models} · ${data}`;
}

/** The first figure of the method's columns that the run has: "96.1 % student accuracy". What is cut off is not the figure. */
export function headline(row: Pick<RunRow, 'methodId' | 'metrics'>): string | undefined {
  const spec = specOf(row.methodId);
  const name = [...(spec?.columns ?? []), ...Object.keys(spec?.metrics ?? {})].find(
    (column) => typeof row.metrics[column] === 'number',
  );
  const metric = name === undefined ? undefined : spec?.metrics[name];
  if (name === undefined || !metric) return undefined;
  return `${formatValue(row.metrics[name] ?? null, metric.unit)} ${lowerFirst(metric.title)}`;
}

/** Why a run has no result. That it was stopped by its user is said by its state. */
export function reason({ error }: Pick<RunRow, 'error'>): string | undefined {
  return error === null || error.code === 'CANCELLED' ? undefined : error.message;
}

export const stateTitles: Readonly<Record<RunState, string>> = {
  queued: 'Waiting',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  interrupted: 'Interrupted',
};

export const isActive = (state: RunState): boolean => state === 'queued' || state === 'running';

/** `synthesisLoss` → "Synthesis loss", `data-impressions` → "Data impressions", `mse` → "MSE". */
export function humanise(name: string): string {
  const words = kebabCase(name)
    .replaceAll(/[-_.]+/g, ' ')
    .replaceAll(/\b(mse|psnr|ssim|lpips|kl|l1|l2)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "today, 12:04", "21 Nov, 12:04" this year, else "21 Nov 2025"; in the reader's own time zone. */
export function formatWhen(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const now = new Date(nowMs);
  if (Number.isNaN(date.getTime())) return formatInstant(ms);
  const time = `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
  const isThisYear = date.getFullYear() === now.getFullYear();
  if (isThisYear && date.getMonth() === now.getMonth() && date.getDate() === now.getDate()) return `today, ${time}`;
  const day = `${date.getDate()} ${months[date.getMonth()] ?? ''}`;
  return isThisYear ? `${day}, ${time}` : `${day} ${date.getFullYear()}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function lowerFirst(text: string): string {
  // "SGD recipe" keeps its capitals.
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
