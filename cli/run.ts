import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { WorkbenchError } from '../core/base/errors.ts';
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
import { sweepCommand } from '../core/methods/sweep-command.ts';
import { pathNamer } from '../core/service/path-names.ts';
import { estimateText } from '../core/report/estimate-text.ts';
import type { Inspect } from '../core/service/model-inspector.ts';
import type { WorkspaceReader } from '../core/store/workspace.ts';
import type { Arguments } from './arguments.ts';
import { variedRuns } from './vary.ts';
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
      const where = { cwd: here.cwd, defaultThreads: defaultThreads(), architectures: Object.keys(architectures) };
      const varied = variedRuns(spec, args, groups);
      const asked = varied.map((run) => buildRequest(spec, run.args, where));
      const { completeModels } = await import('../core/service/complete-models.ts');
      const { inspector } = await import('../core/service/model-inspector.ts');
      const inspect = inspector(workspaceFolder(args, here));
      const requests: RunRequest[] = [];
      const notes = new Set<string>();
      for (const each of asked) {
        const completed = await completeModels(each, spec, inspect);
        requests.push(completed.request);
        for (const note of completed.notes) notes.add(note);
      }
      const isJson = args.isOn('json') === true;
      if (!isJson && !args.isOn('quiet')) for (const note of notes) here.terminal.note(`${note}\n`);
      const planned = { spec, args, here, requests, inspect };
      if (args.isOn('dry-run')) return dryRun(planned);
      if (spec.lookAhead && args.isOn('preflight')) return preflight(planned);
      return start(
        planned,
        varied.map(({ settings }) => settings),
      );
    },
  };
}

interface Planned {
  readonly spec: MethodSpec;
  readonly args: Arguments;
  readonly here: Surroundings;
  /** One for each run. */
  readonly requests: readonly RunRequest[];
  readonly inspect: Inspect;
}

async function dryRun({ spec, args, here, requests, inspect }: Planned): Promise<number> {
  const places = { cwd: here.cwd, workspaceDir: workspaceFolder(args, here), isUsualWorkspace: isUsual(args) };
  const line = sweepCommand(spec, requests, { nameOfPath: pathNamer(here.cwd) }) ?? '';
  const command = withWorkspaceFlag(line, places);
  const estimate = await estimateOf(spec, requests, inspect, args, here);
  const [request] = requests;
  const asked = requests.length === 1 ? { request } : { requests };
  const shown =
    requests.length === 1 ? JSON.stringify(request, null, 2) : `${requests.length} runs, one after the other`;
  here.terminal.write(
    args.isOn('json')
      ? `${JSON.stringify({ ...asked, command, estimate })}\n`
      : `${shown}\n\n${command}\n\n${estimate ? estimateText(estimate) : 'What they take cannot be told.'}\n`,
  );
  return exitCodes.ok.code;
}

async function preflight({ args, here, requests }: Planned): Promise<number> {
  const [request] = requests;
  if (!request || requests.length > 1) {
    throw new WorkbenchError('USAGE', `Flag --preflight looks ahead at one run, got ${requests.length}`, {
      hint: 'Leave --vary away, or look ahead at the run that you doubt.',
    });
  }
  const { lookApart } = await import('../core/service/apart.ts');
  const found = Preflight.parse(await lookApart({ kind: 'look-ahead', request }));
  here.terminal.write(args.isOn('json') ? `${JSON.stringify(found)}\n` : preflightText(found));
  return exitCodes.ok.code;
}

async function start(
  { spec, args, here, requests }: Planned,
  settings: readonly Readonly<Record<string, string>>[],
): Promise<number> {
  const { admitModels } = await import('../core/service/admit-models.ts');
  const isJson = args.isOn('json') === true;
  const isQuiet = args.isOn('quiet') === true;
  return withWorkspace(args, here, async (workspace) => {
    for (const request of requests) await admitModels(request.models, workspace.dir, here.elapsed);
    const runIds = requests.map((request) => workspace.createRun(request));
    const common = { workspace, resume: false, isJson, isQuiet, isUsualWorkspace: isUsual(args), here };
    const [runId] = runIds;
    if (runIds.length === 1 && runId !== undefined) {
      const { executeRun } = await import('./execute.ts');
      if (!isJson && !isQuiet) here.terminal.note(`Run ${runId}: ${spec.title}\n`);
      return executeRun({ ...common, runId, spec });
    }
    const { executeGroup } = await import('./execute-group.ts');
    const groupId = randomBytes(6).toString('hex');
    workspace.annotate(runIds, { groupId });
    const command = sweepCommand(spec, requests, { nameOfPath: pathNamer(here.cwd) });
    const runs = runIds.map((each, i) => ({ runId: each, spec, settings: settings[i] ?? {} }));
    return executeGroup({ ...common, runs, groupId, command });
  });
}

/** The same command without --workspace finds the same workspace. */
export const isUsual = (args: { text(name: string): string | undefined }): boolean =>
  args.text('workspace') === undefined;

/** By runs like them where the workspace has some; null when it cannot be told. */
async function estimateOf(
  spec: MethodSpec,
  requests: readonly RunRequest[],
  inspect: Inspect,
  args: Arguments,
  here: Surroundings,
): Promise<Estimate | null> {
  const { runEstimator } = await import('../core/service/run-estimate.ts');
  const { estimateTogether } = await import('../core/service/assess-group.ts');
  const dir = workspaceFolder(args, here);
  const estimate = (history?: WorkspaceReader) => {
    const one = runEstimator(dir, history, inspect);
    return estimateTogether(requests, (request) => one(spec, request));
  };
  return existsSync(dir) ? withReader(args, here, estimate) : estimate();
}
