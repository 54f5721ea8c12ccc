import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { WorkbenchError } from '../core/base/errors.ts';
import { findMethod } from '../core/methods/catalogue.ts';
import type { ExportFile } from '../core/service/export-files.ts';
import type { WorkspaceReader } from '../core/store/workspace.ts';
import type { Arguments } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { choice } from './request.ts';
import { shortPath } from './result.ts';
import type { Surroundings, Verb } from './verb.ts';
import { withReader } from './workspace.ts';

const formats = ['all', 'html', 'json', 'sarif', 'csv', 'artifacts'] as const;

export const exportRun: Verb = {
  name: 'export',
  summary: 'Write the report and the files of a run into a folder, or runs into a signed bundle.',
  help: {
    title: 'palimpsest export: write the report and the files of a run into a folder, or runs into a signed bundle.',
    usage: ['palimpsest export RUN [flags]', 'palimpsest export RUN… --bundle [flags]'],
    examples: [
      ['everything, into palimpsest-RUN', 'palimpsest export k3f9'],
      ['only the tables and curves for a spreadsheet', 'palimpsest export k3f9 --format csv -o figures'],
      ['one signed file that another machine imports', 'palimpsest export k3f9 --bundle'],
    ],
    groups: [
      {
        title: 'Flags',
        flags: [
          {
            name: 'format',
            value: formats.join('|'),
            help:
              'html: report.html, one file that needs no other. json: report.json, everything in the report. sarif: ' +
              'report.sarif, its findings as SARIF 2.1.0. csv: its tables and curves. artifacts: the models, images and data that the run made. Default: all of them.',
          },
          {
            name: 'bundle',
            help:
              'Write one file with everything that belongs to the runs, signed with the key of this workspace. ' +
              '`palimpsest import` takes it in elsewhere.',
          },
          {
            name: 'output',
            short: 'o',
            value: 'DIR|FILE',
            help: 'A new folder, or the file of a bundle. Default: ./palimpsest-RUN.',
          },
          workspaceFlag,
          jsonFlag,
          debugFlag,
          helpFlag,
        ],
      },
    ],
  },
  positionals: ['RUN…'],
  run: (args, here) =>
    withReader(args, here, async (reader) => {
      const { artifactFiles, csvFiles, textFile, writeFolder } = await import('../core/service/export-files.ts');
      const { makeReport } = await import('../core/service/report-files.ts');
      const format = choice(args, 'format', formats) ?? 'all';
      if (args.isOn('bundle')) return exportBundle(args, here, reader);
      if (args.positionals.length > 1) {
        throw new WorkbenchError('USAGE', `\`palimpsest export\` takes one run, got ${args.positionals.length}`, {
          hint: 'Add --bundle to put several runs into one file.',
        });
      }
      const record = reader.getRun(args.positionals[0] ?? '');
      const { runId } = record;
      const report = makeReport(reader, runId, findMethod(record.request.methodId, here.specs));
      const makers: Record<Exclude<typeof format, 'all'>, () => ExportFile[]> = {
        html: () => [textFile('report.html', report.html)],
        json: () => [textFile('report.json', report.json)],
        sarif: () => [textFile('report.sarif', report.sarif)],
        csv: () => csvFiles(report.document, report.facts.command, reader.series(runId)),
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

async function exportBundle(args: Arguments, here: Surroundings, reader: WorkspaceReader): Promise<number> {
  const { bundleName, makeBundle } = await import('../core/service/bundle/write.ts');
  const { signingKey, fingerprintOf } = await import('../core/service/bundle/signing-key.ts');
  const { writeDurably } = await import('../core/jobs/durable-files.ts');
  const runIds = args.positionals.map((run) => reader.getRun(run).runId);
  const file = resolve(here.cwd, args.text('output') ?? bundleName(runIds));
  if (existsSync(file)) {
    throw new WorkbenchError('USAGE', `There is a file ${file} already`, { hint: 'Name another one with -o FILE.' });
  }
  const bundle = await makeBundle(reader, runIds, here.specs);
  writeDurably(file, bundle.pieces());
  const key = fingerprintOf(signingKey(reader.dir).publicKey);
  if (args.isOn('json')) here.terminal.write(`${JSON.stringify({ runIds, file, key })}\n`);
  else here.terminal.write(`Wrote ${shortPath(file, here.cwd)}\nSigned with the key ${key}\n`);
  return exitCodes.ok.code;
}
