import { findMethod } from '../core/methods/catalogue.ts';
import { debugFlag, helpFlag, jsonFlag, quietFlag, workspaceFlag } from './flags.ts';
import { isUsual, noRun } from './run.ts';
import type { Verb } from './verb.ts';
import { withWorkspace } from './workspace.ts';

export const resume: Verb = {
  name: 'resume',
  summary: 'Go on with a run that was stopped.',
  help: {
    title: 'palimpsest resume: go on with a run that was stopped by Ctrl-C, a crash or a reboot.',
    usage: ['palimpsest resume RUN [flags]'],
    examples: [
      ['go on with a run; its last four characters are enough', 'palimpsest resume k3f9'],
      ['see which runs can go on', 'palimpsest list --state cancelled'],
    ],
    text: [
      'The run goes on from its last checkpoint, with the request it was made with. On the CPU the result is the same, ' +
        'bit for bit, as without the stop.',
    ],
    groups: [{ title: 'Flags', flags: [workspaceFlag, jsonFlag, quietFlag, debugFlag, helpFlag] }],
  },
  positionals: ['RUN'],
  emptyResult: noRun,
  run: (args, here) =>
    withWorkspace(args, here, async (workspace) => {
      const record = workspace.getRun(args.positionals[0] ?? '');
      const { executeRun } = await import('./execute.ts');
      return executeRun({
        workspace,
        runId: record.runId,
        resume: true,
        spec: findMethod(record.request.methodId, here.specs),
        isJson: args.isOn('json') === true,
        isQuiet: args.isOn('quiet') === true,
        isUsualWorkspace: isUsual(args),
        here,
      });
    }),
};
