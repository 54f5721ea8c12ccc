import { runStates, type RunRecord } from '../core/contract/run.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { formatDuration, formatInstant, formatValue } from '../core/report/format.ts';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { choice, wholeNumber } from './request.ts';
import { specOf } from './result.ts';
import { columnsOf } from './terminal.ts';
import type { Verb } from './verb.ts';
import { withReader } from './workspace.ts';

const usualLimit = 20;

export const list: Verb = {
  name: 'list',
  summary: 'Show the runs of the workspace, newest first.',
  help: {
    title: 'palimpsest list: the runs of the workspace, newest first.',
    usage: ['palimpsest list [flags]'],
    examples: [
      ['the last runs', 'palimpsest list'],
      ['every run that succeeded, for a program', 'palimpsest list --state succeeded --limit 1000 --json'],
    ],
    groups: [
      {
        title: 'Flags',
        flags: [
          { name: 'state', value: runStates.join('|'), help: 'Only runs in this state.' },
          { name: 'method', value: 'METHOD', help: 'Only runs of this method.' },
          { name: 'limit', value: 'NUMBER', help: `At most so many. Default: ${usualLimit}.` },
          workspaceFlag,
          jsonFlag,
          debugFlag,
          helpFlag,
        ],
      },
    ],
  },
  positionals: [],
  run: (args, here) =>
    withReader(args, here, (reader) => {
      const state = choice(args, 'state', runStates);
      const methodId = choice(
        args,
        'method',
        here.specs.map((spec) => spec.id),
      );
      const limit = wholeNumber(args, 'limit', 1, 1_000_000) ?? usualLimit;
      const found = reader.listRuns({
        limit: limit + 1,
        ...(state === undefined ? {} : { state }),
        ...(methodId === undefined ? {} : { methodId }),
      });
      const runs = found.slice(0, limit);
      const more = found.length > limit ? `Older runs are left out; --limit ${10 * limit} shows more of them.\n` : '';
      const isAny = state === undefined && methodId === undefined;
      if (args.isOn('json')) here.terminal.write(`${JSON.stringify({ workspace: reader.dir, runs })}\n`);
      else here.terminal.write(runs.length === 0 ? emptyText(reader.dir, isAny) : tableText(runs, here.specs) + more);
      return exitCodes.ok.code;
    }),
};

const emptyText = (dir: string, isAny: boolean): string =>
  !isAny
    ? `No such runs in ${dir}.\n`
    : `No runs in ${dir} yet.\nStart one with \`palimpsest run METHOD\`; \`palimpsest methods\` lists the methods.\n`;

function tableText(runs: readonly RunRecord[], specs: readonly MethodSpec[]): string {
  const head = ['RUN', 'STATE', 'METHOD', 'CREATED', 'TIME', 'RESULT'];
  const rows = runs.map((run) => [
    run.runId,
    run.state,
    run.request.methodId,
    formatInstant(run.createdAtMs).replace(/:\d\d UTC$/, ' UTC'),
    formatDuration(run.durationMs),
    resultCell(run, specOf(run, specs)),
  ]);
  return `${columnsOf([head, ...rows]).join('\n')}\n`;
}

/** The main figure of a run that has one, the reason of one that failed. */
function resultCell(run: RunRecord, spec: MethodSpec | undefined): string {
  if (run.error && run.state !== 'cancelled') return run.error.code;
  const name = spec?.columns.find((column) => run.metrics[column] !== undefined);
  if (spec === undefined || name === undefined) return run.resumable ? 'can be resumed' : '';
  const metric = spec.metrics[name];
  return `${metric?.title ?? name} ${formatValue(run.metrics[name] ?? null, metric?.unit ?? '1')}`;
}
