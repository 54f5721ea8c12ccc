import type { MetricPoint, RunEvent } from '../core/contract/run.ts';
import type { MetricSpec } from '../core/methods/define.ts';
import { formatDuration, formatNumber, formatValue } from '../core/report/format.ts';
import { paint, type Terminal } from './terminal.ts';

export interface Progress {
  on(event: RunEvent): void;
  /** Takes the live line away, so that other text can follow. */
  end(): void;
}

type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;

/** Plain lines come at most this often, beside one for each phase. */
const plainIntervalMs = 5000;
/** A live line is redrawn at most this often. */
const liveIntervalMs = 100;
const shownMetrics = 3;
const eraseLine = '\r\u001b[2K';

/**
 * Shows a run's events on standard error: one line that redraws itself on a terminal, plain lines elsewhere. Time is
 * taken from the events.
 */
export function createProgress(terminal: Terminal, metrics: Readonly<Record<string, MetricSpec>>): Progress {
  const latest = new Map<string, MetricPoint>();
  let last: ProgressEvent | undefined;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shownPhase: string | undefined;
  let isDrawn = false;

  const erase = (): void => {
    if (isDrawn) terminal.note(eraseLine);
    isDrawn = false;
  };
  const draw = (): void => {
    if (!last) return;
    terminal.note(eraseLine + liveLine(last, latest, metrics, terminal));
    isDrawn = true;
  };
  const say = (line: string): void => {
    erase();
    terminal.note(`${line}\n`);
    if (terminal.isLive) draw();
  };
  const onProgress = (event: ProgressEvent): void => {
    last = event;
    const isNewPhase = event.phase !== shownPhase;
    const interval = terminal.isLive ? liveIntervalMs : plainIntervalMs;
    if (!isNewPhase && event.atMs - shownAtMs < interval && event.fraction < 1) return;
    // Metrics of another phase would be read as this one's.
    if (isNewPhase) latest.clear();
    shownAtMs = event.atMs;
    shownPhase = event.phase;
    if (terminal.isLive) draw();
    else terminal.note(`${plainLine(event, latest, metrics)}\n`);
  };

  return {
    on(event) {
      if (event.type === 'progress') onProgress(event);
      else if (event.type === 'metrics') {
        for (const point of event.points) {
          latest.delete(point.name);
          latest.set(point.name, point);
        }
      } else if (event.type === 'log') {
        const isWarning = event.level === 'warning';
        say(isWarning ? `${paint(terminal, 'yellow', 'warning:')} ${event.message}` : event.message);
      } else if (event.type === 'started' && event.resumedFromStep !== undefined) {
        say(`Going on from step ${event.resumedFromStep}.`);
      }
    },
    end: erase,
  };
}

function plainLine(
  event: ProgressEvent,
  latest: ReadonlyMap<string, MetricPoint>,
  metrics: Readonly<Record<string, MetricSpec>>,
): string {
  const facts = [stepsText(event), leftText(event), ...metricTexts(latest, metrics)].filter((fact) => fact !== '');
  return `${percent(event)} ${event.phase}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`;
}

/** Never wider than the terminal: a wrapped line could not be redrawn. */
function liveLine(
  event: ProgressEvent,
  latest: ReadonlyMap<string, MetricPoint>,
  metrics: Readonly<Record<string, MetricSpec>>,
  terminal: Terminal,
): string {
  const room = terminal.columns - 1;
  const head = `${percent(event)} ${bar(event.fraction, room < 80 ? 10 : 20)} ${event.phase}`;
  let line = head.slice(0, room);
  for (const fact of [leftText(event), stepsText(event), ...metricTexts(latest, metrics)]) {
    if (fact === '') continue;
    if (line.length + 2 + fact.length > room) break;
    line += `  ${fact}`;
  }
  return terminal.hasColour ? line.replace(event.phase, paint(terminal, 'bold', event.phase)) : line;
}

const clamp = (fraction: number): number => Math.min(1, Math.max(0, fraction));
const percent = (event: ProgressEvent): string => `${Math.floor(clamp(event.fraction) * 100)}%`.padStart(4);

/** Eighths of a block, so that slow phases visibly move. */
function bar(fraction: number, width: number): string {
  const eighths = Math.round(clamp(fraction) * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  const rest = ' ▏▎▍▌▋▊▉'[eighths % 8] ?? ' ';
  return `│${(full + rest).slice(0, width).padEnd(width)}│`;
}

function stepsText(event: ProgressEvent): string {
  if (event.totalSteps <= 0) return '';
  return `step ${formatNumber(Math.round(event.step))} of ${formatNumber(Math.round(event.totalSteps))}`;
}

function leftText(event: ProgressEvent): string {
  if (event.remainingMs === undefined || event.fraction >= 1) return '';
  // Tenths of a second would only flicker.
  return `${formatDuration(Math.max(1, Math.round(event.remainingMs / 1000)) * 1000).replace(/\.0(?=\D*$)/, '')} left`;
}

function metricTexts(
  latest: ReadonlyMap<string, MetricPoint>,
  metrics: Readonly<Record<string, MetricSpec>>,
): readonly string[] {
  return [...latest.values()].slice(-shownMetrics).map((point) => {
    const spec = metrics[point.name];
    return `${spec?.title ?? point.name} ${formatValue(point.value, spec?.unit ?? '1')}`;
  });
}
