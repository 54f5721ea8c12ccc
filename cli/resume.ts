import { findMethod } from '../core/methods/catalogue.ts';
import { debugFlag, helpFlag, jsonFlag, quietFlag, workspaceFlag } from './flags.ts';
import { isUsual, noRun } from './run.ts';
import type { Verb } from './verb.ts';
import { withWorkspace } from './workspace.ts';

export const resume: Verb = {
  name: 'resume',
  summary: 'Go on with runs that were stopped.',
  help: {
    title: 'palimpsest resume: go on with runs that were stopped by Ctrl-C, a crash or a reboot.',
    usage: ['palimpsest resume RUN… [flags]'],
    examples: [
      ['go on with a run; its last four characters are enough', 'palimpsest resume k3f9'],
      ['see which runs were cancelled', 'palimpsest list --state cancelled'],
      ['see which runs a crash or a reboot has stopped', 'palimpsest list --state interrupted'],
    ],
    text: [
      'The run goes on from its last checkpoint, with the request it was made with. On the CPU the result is the same, ' +
        'bit for bit, as without the stop. Several runs go on one after the other; one that had not begun begins.',
    ],
    groups: [{ title: 'Flags', flags: [workspaceFlag, jsonFlag, quietFlag, debugFlag, helpFlag] }],
  },
  positionals: ['RUN…'],
  emptyResult: noRun,
  run: (args, here) =>
    withWorkspace(args, here, async (workspace) => {
      const records = args.positionals.map((run) => workspace.getRun(run));
      const common = {
        workspace,
        isJson: args.isOn('json') === true,
        isQuiet: args.isOn('quiet') === true,
        isUsualWorkspace: isUsual(args),
        here,
      };
      const runs = records.map(({ runId, request }) => ({
        runId,
        spec: findMethod(request.methodId, here.specs),
        settings: {},
      }));
      const [only] = runs;
      if (runs.length === 1 && only) {
        const { executeRun } = await import('./execute.ts');
        return executeRun({ ...common, ...only, resume: true });
      }
      const { executeGroup } = await import('./execute-group.ts');
      return executeGroup({ ...common, runs, resume: true, groupId: undefined, command: undefined });
    }),
};
