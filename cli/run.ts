import { existsSync } from 'node:fs';
import type { Estimate } from '../core/contract/bridge.ts';
import { Preflight } from '../core/contract/preflight.ts';
import type { RunRequest } from '../core/contract/run.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { exitCodes } from './exit-codes.ts';
import { methodFlags } from './flags.ts';
import { commandOf, methodHelp } from './help.ts';
import { preflightText } from './preflight-text.ts';
import { buildRequest } from './request.ts';
import { withWorkspaceFlag } from './result.ts';
import { commandLine } from '../core/methods/command-line.ts';
import { pathNamer } from '../core/service/path-names.ts';
import { estimateText } from '../core/report/estimate-text.ts';
import type { Inspect } from '../core/service/model-inspector.ts';
import type { WorkspaceReader } from '../core/store/workspace.ts';
import type { Arguments } from './arguments.ts';
import type { Surroundings, Verb } from './verb.ts';
import { withReader, withWorkspace, workspaceFolder } from './workspace.ts';

/** What `--json` prints of a run that was never made. */
export const noRun = { runId: null, state: 'failed', metrics: {}, artifacts: [], durationMs: 0 };

/** The verb of one method: `run ID`, or its own where the declaration names one. */
export function methodVerb(spec: MethodSpec): Verb {
  const groups = methodFlags(spec);
  return {
    name: commandOf(spec).slice('palimpsest '.length),
    summary: spec.summary,
    help: methodHelp(spec, groups),
    positionals: [],
    emptyResult: noRun,
    async run(args, here) {
      // onnxruntime and the zoo take a third of a second to load, which help and list need not wait for.
      const { architectures } = await import('../core/train/zoo/architectures.ts');
      const { defaultThreads } = await import('../core/runtime/device.ts');
      const asked = buildRequest(spec, args, {
        cwd: here.cwd,
        defaultThreads: defaultThreads(),
        architectures: Object.keys(architectures),
      });
      const isJson = args.isOn('json') === true;
      const { completeModels } = await import('../core/service/complete-models.ts');
      const { inspector } = await import('../core/service/model-inspector.ts');
      const inspect = inspector(workspaceFolder(args, here));
      const { request, notes } = await completeModels(asked, spec, inspect);
      if (!isJson && !args.isOn('quiet')) for (const note of notes) here.terminal.note(`${note}\n`);
      if (args.isOn('dry-run')) {
        const places = { cwd: here.cwd, workspaceDir: workspaceFolder(args, here), isUsualWorkspace: isUsual(args) };
        const command = withWorkspaceFlag(commandLine(spec, request, { nameOfPath: pathNamer(here.cwd) }), places);
        const estimate = await estimateOf(spec, request, inspect, args, here);
        here.terminal.write(
          isJson
            ? `${JSON.stringify({ request, command, estimate })}\n`
            : `${JSON.stringify(request, null, 2)}\n\n${command}\n\n${estimateText(estimate)}\n`,
        );
        return exitCodes.ok.code;
      }
      if (spec.lookAhead && args.isOn('preflight')) {
        const { lookApart } = await import('../core/service/apart.ts');
        const found = Preflight.parse(await lookApart({ kind: 'look-ahead', request }));
        here.terminal.write(isJson ? `${JSON.stringify(found)}\n` : preflightText(found));
        return exitCodes.ok.code;
      }
      const { admitModels } = await import('../core/service/admit-models.ts');
      const { executeRun } = await import('./execute.ts');
      return withWorkspace(args, here, async (workspace) => {
        await admitModels(request.models, workspace.dir, here.elapsed);
        const runId = workspace.createRun(request);
        if (!isJson && !args.isOn('quiet')) here.terminal.note(`Run ${runId}: ${spec.title}\n`);
        return executeRun({
          workspace,
          runId,
          resume: false,
          spec,
          isJson,
          isQuiet: args.isOn('quiet') === true,
          isUsualWorkspace: isUsual(args),
          here,
        });
      });
    },
  };
}

/** The same command without --workspace finds the same workspace. */
export const isUsual = (args: { text(name: string): string | undefined }): boolean =>
  args.text('workspace') === undefined;

/** By runs like it where the workspace has some. */
async function estimateOf(
  spec: MethodSpec,
  request: RunRequest,
  inspect: Inspect,
  args: Arguments,
  here: Surroundings,
): Promise<Estimate> {
  const { runEstimator } = await import('../core/service/run-estimate.ts');
  const dir = workspaceFolder(args, here);
  const estimate = (history?: WorkspaceReader) => runEstimator(dir, history, inspect)(spec, request);
  return existsSync(dir) ? withReader(args, here, estimate) : estimate();
}
