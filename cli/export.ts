import { resolve } from 'node:path';
import { findMethod } from '../core/methods/catalogue.ts';
import type { ExportFile } from '../core/service/export-files.ts';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { choice } from './request.ts';
import { shortPath } from './result.ts';
import type { Verb } from './verb.ts';
import { withReader } from './workspace.ts';

const formats = ['all', 'html', 'json', 'csv', 'artifacts'] as const;

export const exportRun: Verb = {
  name: 'export',
  summary: 'Write the report and the files of a run into a folder.',
  help: {
    title: 'palimpsest export: write the report and the files of a run into a folder.',
    usage: ['palimpsest export RUN [flags]'],
    examples: [
      ['everything, into palimpsest-RUN', 'palimpsest export k3f9'],
      ['only the tables and curves for a spreadsheet', 'palimpsest export k3f9 --format csv -o figures'],
    ],
    groups: [
      {
        title: 'Flags',
        flags: [
          {
            name: 'format',
            value: formats.join('|'),
            help:
              'html: report.html, one file that needs no other. json: report.json, everything in the report. csv: its ' +
              'tables and curves. artifacts: the models, images and data that the run made. Default: all of them.',
          },
          { name: 'output', short: 'o', value: 'DIR', help: 'A new folder. Default: ./palimpsest-RUN.' },
          workspaceFlag,
          jsonFlag,
          debugFlag,
          helpFlag,
        ],
      },
    ],
  },
  positionals: ['RUN'],
  run: (args, here) =>
    withReader(args, here, async (reader) => {
      const { artifactFiles, csvFiles, textFile, writeFolder } = await import('../core/service/export-files.ts');
      const { makeReport } = await import('../core/service/report-files.ts');
      const format = choice(args, 'format', formats) ?? 'all';
      const record = reader.getRun(args.positionals[0] ?? '');
      const { runId } = record;
      const report = makeReport(reader, runId, findMethod(record.request.methodId, here.specs));
      const makers: Record<Exclude<typeof format, 'all'>, () => ExportFile[]> = {
        html: () => [textFile('report.html', report.html)],
        json: () => [textFile('report.json', report.json)],
        csv: () => csvFiles(report.document, reader.series(runId)),
        artifacts: () => artifactFiles(record.artifacts, reader),
      };
      const files = format === 'all' ? Object.values(makers).flatMap((make) => make()) : makers[format]();
      const folder = resolve(here.cwd, args.text('output') ?? `palimpsest-${runId}`);
      writeFolder(folder, files);
      const paths = files.map((file) => file.path);
      if (args.isOn('json')) here.terminal.write(`${JSON.stringify({ runId, folder, files: paths })}\n`);
      else {
        here.terminal.write(
          `Wrote ${paths.length} files to ${shortPath(folder, here.cwd)}\n${paths.map((path) => `  ${path}\n`).join('')}`,
        );
      }
      return exitCodes.ok.code;
    }),
};
