import type { MethodSpec } from '../core/methods/define.ts';
import { cancelUnstarted } from '../core/jobs/cancel-unstarted.ts';
import { formatDuration, formatValue } from '../core/report/format.ts';
import { computeRun, exitCodeFor, placesOf, type Execution, type Outcome } from './execute.ts';
import { exitCodes } from './exit-codes.ts';
import { noteError } from './report-error.ts';
import { resultJson, withWorkspaceFlag } from './result.ts';
import { columnsOf, type Terminal } from './terminal.ts';

export interface PlannedRun {
  readonly runId: string;
  readonly spec: MethodSpec;
  /** What it sets where others set something else; empty when nobody said. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Group extends Omit<Execution, 'runId' | 'spec'> {
  readonly runs: readonly PlannedRun[];
  readonly groupId: string | undefined;
  /** The line that makes all of them again. */
  readonly command: string | undefined;
}

interface Ended extends PlannedRun {
  readonly outcome: Outcome;
}

/**
 * Computes runs one after the other, shows them in a table, and gives the exit code of the first that failed. One that
 * fails keeps no other from being computed; Ctrl-C and a workspace that cannot be written end all of them.
 */
export async function executeGroup(group: Group): Promise<number> {
  const { runs, isJson, isQuiet, here } = group;
  const { terminal } = here;
  const ended: Ended[] = [];
  for (const [i, run] of runs.entries()) {
    const { runId, spec } = run;
    if (!isJson && !isQuiet) terminal.note(`Run ${i + 1} of ${runs.length}, ${runId}: ${titleOf(run)}\n`);
    const outcome = await computeRun({ ...group, runId, spec });
    ended.push({ ...run, outcome });
    const error = outcome.refusal ?? outcome.record.error;
    if (!outcome.isStopped && error && !isJson) noteError(terminal, { ...error, details: undefined });
    if (outcome.isStopped || error?.code === 'WORKSPACE_UNUSABLE') break;
  }
  for (const { runId } of runs.slice(ended.length)) leave(group, runId);
  if (isJson) terminal.write(`${JSON.stringify(groupJson(group, ended))}\n`);
  else terminal.write(groupText(terminal, group, ended));
  const left = runs.filter(({ runId }) => group.workspace.getRun(runId).resumable);
  if (left.length > 0) {
    const ids = left.map(({ runId }) => runId).join(' ');
    terminal.note(`Go on with: ${withWorkspaceFlag(`palimpsest resume ${ids}`, placesOf(group))}\n`);
  }
  const codes = ended.map(({ outcome }) => exitCodeFor(outcome));
  return codes.find((code) => code === exitCodes.cancelled.code) ?? codes.find((code) => code !== 0) ?? 0;
}

const titleOf = ({ spec, settings }: PlannedRun): string => {
  const set = Object.entries(settings).map(([flag, value]) => `${flag} ${value}`);
  return [spec.title, ...set].join(', ');
};

/** It will not be computed now; the history says so, and it can be gone on with. */
function leave({ workspace, here }: Group, runId: string): void {
  try {
    if (workspace.getRun(runId).state === 'queued') cancelUnstarted(workspace, runId, here.now());
  } catch {
    // A workspace that cannot be written keeps it queued.
  }
}

function groupJson(group: Group, ended: readonly Ended[]): object {
  return {
    ...(group.groupId === undefined ? {} : { groupId: group.groupId }),
    ...(group.command === undefined ? {} : { command: group.command }),
    runs: group.runs.map(({ runId, settings }, i) => {
      const outcome = ended[i]?.outcome;
      const record = outcome?.record ?? group.workspace.getRun(runId);
      return {
        settings,
        ...resultJson(group.workspace, record, { report: outcome?.report, error: outcome?.refusal }),
      };
    }),
  };
}

const shownFigures = 3;

function groupText(terminal: Terminal, group: Group, ended: readonly Ended[]): string {
  const settings = [...new Set(group.runs.flatMap((run) => Object.keys(run.settings)))];
  const [spec] = new Set(group.runs.map((run) => run.spec));
  const measured = new Set(ended.flatMap(({ outcome }) => Object.keys(outcome.record.metrics)));
  const figures = (spec?.columns ?? []).filter((name) => measured.has(name)).slice(0, shownFigures);
  const head = ['RUN', ...settings.map((flag) => flag.toUpperCase()), 'STATE', 'TIME'];
  const rows = group.runs.map(({ runId, settings: set }) => {
    const { state, durationMs, metrics, error } = group.workspace.getRun(runId);
    return [
      runId,
      ...settings.map((flag) => set[flag] ?? ''),
      error && state === 'failed' ? error.code : state,
      formatDuration(durationMs),
      ...figures.map((name) => {
        const value = metrics[name];
        return value === undefined ? '' : formatValue(value, spec?.metrics[name]?.unit ?? '1');
      }),
    ];
  });
  const titles = figures.map((name) => (spec?.metrics[name]?.title ?? name).toUpperCase());
  const again = group.command === undefined ? [] : ['', `Again  ${withWorkspaceFlag(group.command, placesOf(group))}`];
  return `${[...columnsOf([[...head, ...titles], ...rows]), ...again].join('\n')}\n`;
}
