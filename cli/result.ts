import { relative } from 'node:path';
import type { ErrorShape } from '../core/base/errors.ts';
import type { RunRecord } from '../core/contract/run.ts';
import { argumentsOf, commandLine, quote } from '../core/methods/command-line.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { formatDuration, formatValue } from '../core/report/format.ts';
import type { WorkspaceReader } from '../core/store/workspace.ts';
import { pathNamer } from '../core/service/path-names.ts';
import { columnsOf, paint, type Terminal } from './terminal.ts';

/** The one JSON object that `run`, `train` and `resume` print with --json. */
export function resultJson(
  reader: Pick<WorkspaceReader, 'artifactPath'>,
  record: RunRecord,
  { report, error }: { report?: string | undefined; error?: ErrorShape | null | undefined } = {},
): Record<string, unknown> {
  const shown = error ?? record.error;
  return {
    runId: record.runId,
    state: record.state,
    metrics: record.metrics,
    artifacts: record.artifacts.map(({ name, sha256, mediaType, sizeBytes }) => ({
      name,
      path: reader.artifactPath(sha256),
      sha256,
      mediaType,
      sizeBytes,
    })),
    durationMs: record.durationMs,
    ...(report === undefined ? {} : { report }),
    ...(shown ? { error: shown } : {}),
  };
}

/** Metrics with title, value, unit and what they were measured on, those in `columns` first; what has no value last. */
export function metricLines(record: Pick<RunRecord, 'metrics'>, spec: MethodSpec | undefined): readonly string[] {
  const order = [...(spec?.columns ?? []), ...Object.keys(spec?.metrics ?? {}), ...Object.keys(record.metrics)];
  const names = [...new Set(order)].filter((name) => Object.hasOwn(record.metrics, name));
  const isMeasured = (name: string): boolean => record.metrics[name] !== null;
  const titleOf = (name: string): string => spec?.metrics[name]?.title ?? name;
  const rows = names.filter(isMeasured).map((name) => {
    const metric = spec?.metrics[name];
    return [titleOf(name), formatValue(record.metrics[name] ?? null, metric?.unit ?? '1'), metric?.help ?? ''];
  });
  const others = names.filter((name) => !isMeasured(name)).map(titleOf);
  return [
    ...columnsOf(rows, [1]).map((line) => `  ${line}`),
    ...(others.length === 0 ? [] : [`  Not measured: ${others.join(', ')}`]),
  ];
}

export interface PlaceNames {
  /** Folder that the reader stands in. */
  readonly cwd: string;
  readonly workspaceDir: string;
  /** The workspace is the one that is used when none is named. */
  readonly isUsualWorkspace: boolean;
}

/** The command that makes a run again, from `cwd`. */
export function againCommand(spec: MethodSpec, record: RunRecord, places: PlaceNames): string {
  return withWorkspaceFlag(commandLine(spec, record.request, { nameOfPath: pathNamer(places.cwd) }), places);
}

/** Adds --workspace where it is needed to reach the same workspace. */
export function withWorkspaceFlag(command: string, places: PlaceNames): string {
  if (places.isUsualWorkspace) return command;
  return `${command} ${argumentsOf(['workspace', pathNamer(places.cwd)(places.workspaceDir)])
    .map(quote)
    .join(' ')}`;
}

/** A path as short as it can be said from `cwd`. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') || short === '' ? path : short;
}

/** What stands at the end of a run. */
export function resultText(
  terminal: Terminal,
  record: RunRecord,
  spec: MethodSpec,
  places: PlaceNames,
  report: string | undefined,
  tables: readonly (readonly string[])[] = [],
): string {
  const head = `Run ${record.runId} ${record.state} in ${formatDuration(record.durationMs)}`;
  const metrics = metricLines(record, spec);
  const facts = [
    ...(report === undefined ? [] : [['Report', shortPath(report, places.cwd)]]),
    ['Again', againCommand(spec, record, places)],
    ['Export', withWorkspaceFlag(`palimpsest export ${record.runId}`, places)],
  ];
  const blocks = [
    [paint(terminal, record.state === 'succeeded' ? 'green' : 'bold', head)],
    metrics,
    ...tables,
    columnsOf(facts).map((line) => `  ${line}`),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

/** The declaration of a run's method. */
export function specOf(record: RunRecord, specs: readonly MethodSpec[]): MethodSpec | undefined {
  return specs.find((spec) => spec.id === record.request.methodId);
}
