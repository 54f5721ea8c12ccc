import { existsSync } from 'node:fs';
import { formatBytes, formatDuration, formatInstant, shortSha } from '../core/report/format.ts';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { inputFacts } from './input-facts.ts';
import { reportPaths } from '../core/service/path-names.ts';
import { againCommand, metricLines, shortPath, specOf, type PlaceNames } from './result.ts';
import { isUsual } from './run.ts';
import { tableBlocks } from './tables.ts';
import { columnsOf } from './terminal.ts';
import type { Verb } from './verb.ts';
import { withReader } from './workspace.ts';

export const show: Verb = {
  name: 'show',
  summary: 'Show everything that is known about a run.',
  help: {
    title: 'palimpsest show: everything that is known about a run.',
    usage: ['palimpsest show RUN [flags]'],
    examples: [
      ['a run by the last four characters of its id', 'palimpsest show k3f9'],
      ['the same for a program', 'palimpsest show k3f9 --json'],
    ],
    groups: [{ title: 'Flags', flags: [workspaceFlag, jsonFlag, debugFlag, helpFlag] }],
  },
  positionals: ['RUN'],
  run: (args, here) =>
    withReader(args, here, (reader) => {
      const record = reader.getRun(args.positionals[0] ?? '');
      const jobs = reader.jobs(record.runId);
      const spec = specOf(record, here.specs);
      const places: PlaceNames = { cwd: here.cwd, workspaceDir: reader.dir, isUsualWorkspace: isUsual(args) };
      const command = spec && againCommand(spec, record, places);
      const path = reportPaths(reader, record.runId).html;
      const report = existsSync(path) ? path : undefined;
      if (args.isOn('json')) {
        const artifacts = record.artifacts.map((artifact) => ({
          ...artifact,
          path: reader.artifactPath(artifact.sha256),
        }));
        here.terminal.write(
          `${JSON.stringify({ ...record, artifacts, jobHistory: jobs, command: command ?? null, report: report ?? null })}\n`,
        );
        return exitCodes.ok.code;
      }
      const { environment, error, request } = record;
      const facts: (readonly string[])[] = [
        ['Method', `${spec?.title ?? 'unknown'} (${request.methodId}, version ${request.methodVersion})`],
        ['State', record.resumable ? `${record.state}, can be resumed` : record.state],
        ['Created', formatInstant(record.createdAtMs)],
        ['Computed', `${formatDuration(record.durationMs)} in ${record.jobs === 1 ? '1 job' : `${record.jobs} jobs`}`],
      ];
      if (environment) {
        facts.push(['Device', `${environment.deviceUsed}, ${environment.threads} threads, ${environment.cpu}`]);
        facts.push([
          'Versions',
          `Palimpsest ${environment.palimpsest}, Node ${environment.node}, onnxruntime ${environment.onnxruntime}`,
        ]);
      }
      facts.push(...inputFacts(record, spec, here.cwd));
      if (report !== undefined) facts.push(['Report', shortPath(report, here.cwd)]);
      if (command !== undefined) facts.push(['Again', command]);
      if (error) facts.push(['Error', `${error.message} [${error.code}]`], ['Hint', error.hint ?? '']);
      const artifacts = record.artifacts.map((artifact) => [
        artifact.name,
        formatBytes(artifact.sizeBytes),
        shortSha(artifact.sha256),
        artifact.title,
      ]);
      const blocks = [
        [`Run ${record.runId}`, ...indented(columnsOf(facts.filter(([, text]) => text !== '')))],
        ['Metrics', ...metricLines(record, spec)],
        ...tableBlocks(reader, record.runId),
        ['Artifacts', ...indented(columnsOf(artifacts, [1]))],
      ].filter((block) => block.length > 1);
      here.terminal.write(`${blocks.map((block) => block.join('\n')).join('\n\n')}\n`);
      return exitCodes.ok.code;
    }),
};

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);
