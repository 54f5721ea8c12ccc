import { randomBytes } from 'node:crypto';
import { WorkbenchError } from '../base/errors.ts';
import { requests, type RequestName, type RequestResult } from '../contract/bridge.ts';
import { Preflight } from '../contract/preflight.ts';
import type { RunProgress } from '../contract/history.ts';
import type { RunRecord, RunRequest } from '../contract/run.ts';
import { heldArtifacts } from '../jobs/checkpoints.ts';
import { commandLine } from '../methods/command-line.ts';
import { defaultThreads } from '../runtime/device.ts';
import { architectures } from '../train/zoo/architectures.ts';
import { admitModels } from './admit-models.ts';
import { assess, complete, type AssessSurroundings, type Completion } from './assess.ts';
import { assessGroup } from './assess-group.ts';
import { bind, type HandlerTable } from './bind.ts';
import { importBundle } from './bundle/import.ts';
import type { Inspect } from './model-inspector.ts';
import { pathNamer } from './path-names.ts';
import type { Inside } from './inside.ts';
import { runEstimator } from './run-estimate.ts';

type RunRequestName = Extract<RequestName, `runs.${string}`>;

export function runHandlers(inside: Inside, inspect: Inspect): Pick<HandlerTable, RunRequestName> {
  const { options, workspace, queue, library } = inside;
  const { specs, cwd } = options;
  const estimate = runEstimator(workspace.dir, workspace, inspect);
  const where = (): AssessSurroundings => ({
    specs,
    cwd,
    inspect,
    architectures: Object.keys(architectures),
    defaultThreads: inside.settings.get().threads ?? defaultThreads(),
    wordsOf: (model) => library.wordsOf(model),
    estimate,
  });
  const whole = (runIds: readonly string[]): string[] => runIds.map((runId) => workspace.getRun(runId).runId);
  let importing = 0;
  return {
    'runs.assess': bind(requests['runs.assess'], (draft) => assess(draft, where())),
    'runs.assessGroup': bind(requests['runs.assessGroup'], ({ requests: drafts }) => assessGroup(drafts, where())),
    'runs.lookAhead': bind(requests['runs.lookAhead'], async ({ request: draft, ...asked }) => {
      const request = requestOf(await complete(draft, where()), 0, 1);
      return Preflight.parse(await inside.looks.look(request, asked));
    }),
    'runs.stopLooking': bind(requests['runs.stopLooking'], ({ lookId }) => {
      inside.looks.stop(lookId);
      return {};
    }),
    'runs.start': bind(requests['runs.start'], async ({ requests: drafts, note }) => {
      const accepted: RunRequest[] = [];
      for (const [i, draft] of drafts.entries()) {
        accepted.push(requestOf(await complete(draft, where()), i, drafts.length));
      }
      for (const request of accepted) await admitModels(request.models, workspace.dir, options.elapsed);
      const groupId = accepted.length > 1 ? randomBytes(6).toString('hex') : null;
      const runIds = accepted.map((request) => workspace.createRun(request));
      if (groupId !== null || note !== undefined) {
        workspace.annotate(runIds, { note, ...(groupId === null ? {} : { groupId }) });
      }
      inside.tellRows(runIds);
      for (const runId of runIds) queue.add(runId);
      return { runIds, groupId };
    }),
    'runs.list': bind(requests['runs.list'], (query) => workspace.queryRuns(query)),
    'runs.get': bind(requests['runs.get'], ({ runId }) => details(inside, workspace.getRun(runId))),
    'runs.progress': bind(requests['runs.progress'], () => {
      const { running, waiting } = queue.facts();
      return Object.fromEntries(
        [...running, ...waiting].flatMap((runId) => {
          const progress = lastProgress(workspace, runId);
          return progress ? [[runId, progress]] : [];
        }),
      );
    }),
    'runs.series': bind(requests['runs.series'], ({ runId, ...range }) => workspace.thinnedSeries(runId, range)),
    'runs.events': bind(requests['runs.events'], ({ runId, jobId, afterSeq, types, limit }) => {
      // One more than asked for tells whether there are more.
      const events = workspace.events(runId, { jobId, types, from: afterSeq + 1, limit: limit + 1 });
      return { events: events.slice(0, limit), hasMore: events.length > limit };
    }),
    'runs.cancel': bind(requests['runs.cancel'], ({ runId: run }) => {
      const { runId } = workspace.getRun(run);
      queue.cancel(runId);
      workspace.annotate([runId], { isPaused: false });
      return {};
    }),
    'runs.pause': bind(requests['runs.pause'], ({ runId: run }) => {
      const { runId } = workspace.getRun(run);
      queue.cancel(runId);
      workspace.annotate([runId], { isPaused: true });
      inside.tellRows([runId]);
      return {};
    }),
    'runs.resume': bind(requests['runs.resume'], ({ runId }) => {
      workspace.restore(whole([runId]));
      queue.add(runId);
      return {};
    }),
    'runs.trash': bind(requests['runs.trash'], ({ runIds }) => {
      const ids = whole(runIds);
      const { waiting, running } = queue.facts();
      const busy = ids.find((id) => waiting.includes(id) || running.includes(id));
      if (busy !== undefined) {
        throw new WorkbenchError('RUN_STATE', `Run ${busy} waits or runs and cannot be moved to the trash`, {
          hint: 'Cancel it first.',
        });
      }
      workspace.trash(ids);
      inside.tellRows(ids);
      return {};
    }),
    'runs.restore': bind(requests['runs.restore'], ({ runIds }) => {
      const ids = whole(runIds);
      workspace.restore(ids);
      inside.tellRows(ids);
      return {};
    }),
    'runs.purge': bind(requests['runs.purge'], ({ runIds }) => {
      const ids = whole(runIds);
      if (importing > 0) {
        throw new WorkbenchError('RUN_STATE', 'Runs are being imported, which may have the same files', {
          hint: 'Wait until they are here.',
        });
      }
      workspace.purge(ids, heldArtifacts(workspace.dir));
      inside.tellRemoved(ids);
      return {};
    }),
    'runs.annotate': bind(requests['runs.annotate'], ({ runIds, ...annotation }) => {
      const ids = whole(runIds);
      workspace.annotate(ids, annotation);
      inside.tellRows(ids);
      return ids.map((id) => workspace.getRow(id));
    }),
    'runs.import': bind(requests['runs.import'], async ({ path }) => {
      importing += 1;
      try {
        const result = await importBundle(workspace, path, { now: options.now });
        inside.tellRows(result.runs.map(({ runId }) => runId));
        return { key: result.key, runs: [...result.runs] };
      } finally {
        importing -= 1;
        inside.uploads.discard(path);
      }
    }),
    'runs.tags': bind(requests['runs.tags'], () => workspace.tags()),
  };
}

function requestOf({ request, complaints }: Completion, index: number, count: number): RunRequest {
  if (request) return request;
  const which = count === 1 ? 'The run' : `Run ${index + 1} of ${count}`;
  const reasons = complaints.map(({ message }) => message).join('; ');
  throw new WorkbenchError('PARAM_INVALID', `${which} cannot be started: ${reasons}`, {
    hint: complaints.find(({ hint }) => hint !== undefined)?.hint,
    details: complaints,
  });
}

function details({ workspace, queue, options }: Inside, record: RunRecord): RequestResult<'runs.get'> {
  const { runId } = record;
  const spec = options.specs.find(({ id }) => id === record.request.methodId);
  const job = workspace.jobs(runId).at(-1);
  const last = job && workspace.lastEvent(job.jobId);
  const place = queue.facts().waiting.indexOf(runId);
  return {
    record,
    row: workspace.getRow(runId),
    progress: lastProgress(workspace, runId),
    tables: workspace.tables(runId),
    queuePosition: place === -1 ? null : place,
    origin: workspace.originOf(runId),
    command: spec ? commandLine(spec, record.request, { nameOfPath: pathNamer(options.cwd) }) : null,
    lastEvent: last ? { jobId: last.jobId, seq: last.seq } : null,
  };
}

/** The last that a run has said of its progress; while a resumed one opens its models, that is of an attempt before. */
function lastProgress(workspace: Inside['workspace'], runId: string): RunProgress | null {
  const jobs = workspace.jobs(runId);
  for (const { jobId } of jobs.toReversed()) {
    const event = workspace.lastEvent(jobId, 'progress');
    if (!event) continue;
    const { phase, step, totalSteps, fraction, remainingMs = null, atMs } = event;
    const isPresent = jobId === jobs.at(-1)?.jobId;
    return { phase, step, totalSteps, fraction, remainingMs: isPresent ? remainingMs : null, atMs };
  }
  return null;
}
