import { resolve } from 'node:path';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import type { Verb } from './verb.ts';
import { withWorkspace } from './workspace.ts';

const words = {
  added: 'added',
  extended: 'was here, has gone on elsewhere: brought up to date',
  known: 'is here already',
};

export const importRuns: Verb = {
  name: 'import',
  summary: 'Take in the runs of a signed bundle.',
  help: {
    title: 'palimpsest import: take in the runs of a signed bundle.',
    usage: ['palimpsest import FILE [flags]'],
    examples: [
      ['a bundle made with `palimpsest export RUN --bundle`', 'palimpsest import palimpsest-RUN.palimpsest.zip'],
    ],
    text: [
      'Every file of the bundle is checked against the signed manifest before anything is written; one that was changed ' +
        'is named and nothing is taken. The same bundle again changes nothing.',
    ],
    groups: [
      {
        title: 'Flags',
        flags: [
          {
            name: 'key',
            value: 'FINGERPRINT',
            help: 'Refuse a bundle that another key has signed. The fingerprint is printed by `palimpsest export --bundle`.',
          },
          workspaceFlag,
          jsonFlag,
          debugFlag,
          helpFlag,
        ],
      },
    ],
  },
  positionals: ['FILE'],
  run: (args, here) =>
    withWorkspace(args, here, async (workspace) => {
      const { importBundle } = await import('../core/service/bundle/import.ts');
      const path = resolve(here.cwd, args.positionals[0] ?? '');
      const result = await importBundle(workspace, path, { expectedKey: args.text('key'), now: here.now });
      if (args.isOn('json')) here.terminal.write(`${JSON.stringify(result)}\n`);
      else {
        const lines = result.runs.map(
          ({ runId, outcome, isInTrash }) => `${runId} ${words[outcome]}${isInTrash ? ', in the trash' : ''}\n`,
        );
        here.terminal.write(`${lines.join('')}Signed by the key ${result.key}\n`);
      }
      return exitCodes.ok.code;
    }),
};
