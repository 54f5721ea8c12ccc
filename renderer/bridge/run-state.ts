import type { Bridge, RequestResult } from '../../core/contract/bridge.ts';
import type { RunDetails } from '../../core/contract/history.ts';
import { withTable } from '../../core/contract/live-table.ts';
import type { Artifact, RunEvent } from '../../core/contract/run.ts';
import { seriesBuffer, type SeriesBuffer } from '../charts/series-buffer.ts';

export interface LogLine {
  readonly jobId: string;
  readonly seq: number;
  readonly atMs: number;
  readonly level: 'info' | 'warning';
  readonly message: string;
}

/** A run as its page shows it: what the history says, carried on by every event since. */
export interface RunView {
  readonly details: RunDetails;
  readonly series: ReadonlyMap<string, SeriesBuffer>;
  /** Grows when any curve does; buffers are changed in place. */
  readonly seriesVersion: number;
  readonly logs: readonly LogLine[];
}

const logTypes = ['log'] as const;
const logPage = 5000;

/** Asks for everything that the page needs, at the state of one moment. */
export async function loadRun(bridge: Pick<Bridge, 'request'>, runId: string): Promise<RunView> {
  const [details, curves, page] = await Promise.all([
    bridge.request('runs.get', { runId }),
    bridge.request('runs.series', { runId }),
    bridge.request('runs.events', { runId, types: [...logTypes], limit: logPage }),
  ]);
  return { details, series: buffersOf(curves), seriesVersion: 0, logs: page.events.flatMap(logLine) };
}

function buffersOf(curves: RequestResult<'runs.series'>): Map<string, SeriesBuffer> {
  return new Map(Object.entries(curves).map(([name, { points }]) => [name, seriesBuffer(points)]));
}

/** The view after an event of its run. Curves grow in place. */
export function applyEvent(view: RunView, event: RunEvent): RunView {
  switch (event.type) {
    case 'progress': {
      const { phase, step, totalSteps, fraction, remainingMs = null, atMs } = event;
      return withDetails(view, { progress: { phase, step, totalSteps, fraction, remainingMs, atMs } });
    }
    case 'metrics': {
      const series = new Map(view.series);
      for (const { name, step, value } of event.points) {
        const buffer = series.get(name) ?? seriesBuffer();
        buffer.push(step, value);
        series.set(name, buffer);
      }
      return { ...view, series, seriesVersion: view.seriesVersion + 1 };
    }
    case 'log': {
      const [line] = logLine(event);
      const isKnown = view.logs.some(({ jobId, seq }) => jobId === event.jobId && seq === event.seq);
      return line && !isKnown ? { ...view, logs: [...view.logs, line] } : view;
    }
    case 'artifact': {
      const { record } = view.details;
      return withDetails(view, { record: { ...record, artifacts: withArtifact(record.artifacts, event.artifact) } });
    }
    case 'table':
      return withDetails(view, { tables: withTable(view.details.tables, event.table) });
    case 'started':
    case 'finished':
    case 'checkpoint':
      // Seldom, and the history knows more than the event: the page asks again.
      return view;
  }
}

/** A name that comes again replaces what had it, in its place. */
function withArtifact(artifacts: readonly Artifact[], artifact: Artifact): Artifact[] {
  const at = artifacts.findIndex(({ name }) => name === artifact.name);
  return at < 0 ? [...artifacts, artifact] : artifacts.with(at, artifact);
}

function withDetails(view: RunView, details: Partial<RunDetails>): RunView {
  return { ...view, details: { ...view.details, ...details } };
}

function logLine(event: RunEvent): LogLine[] {
  if (event.type !== 'log') return [];
  const { jobId, seq, atMs, level, message } = event;
  return [{ jobId, seq, atMs, level, message }];
}
