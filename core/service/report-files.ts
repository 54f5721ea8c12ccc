import { basename, dirname, isAbsolute } from 'node:path';
import type { Artifact, DataRef, ModelRef, RunRecord } from '../contract/run.ts';
import { writeDurably } from '../jobs/durable-files.ts';
import { commandLine, isSame } from '../methods/command-line.ts';
import type { MethodSpec, ReportInput } from '../methods/define.ts';
import { paramFields, settleFiles } from '../methods/parameters.ts';
import { reportOn } from '../methods/reports.ts';
import type { ReportDocument } from '../report/document.ts';
import type { InputFact, ReportFacts } from '../report/facts.ts';
import { renderReport } from '../report/html.ts';
import { reportJson } from '../report/json.ts';
import { reportSarif } from '../report/sarif.ts';
import type { WorkspaceReader } from '../store/workspace.ts';
import { pathNamer, reportPaths } from './path-names.ts';

export interface RunReport {
  readonly document: ReportDocument;
  readonly facts: ReportFacts;
  readonly html: string;
  /** JSON text with everything in the report. */
  readonly json: string;
  /** JSON text of a SARIF 2.1.0 log with the findings; without results where the method states none. */
  readonly sarif: string;
}

/** Makes the report of a run from the history alone. */
export function makeReport(reader: WorkspaceReader, runId: string, spec: MethodSpec): RunReport {
  const record = reader.getRun(runId);
  const facts = reportFacts(reader, record, spec);
  const document = reportOn(spec, reportInput(reader, record));
  const json = `${JSON.stringify(reportJson(document, facts), null, 2)}\n`;
  const sarif = `${JSON.stringify(reportSarif(document, facts), null, 2)}\n`;
  return { document, facts, html: renderReport(document, facts), json, sarif };
}

/** Writes report.html and report.json into the run's folder, each whole or not at all, and gives their paths. */
export function writeReport(reader: WorkspaceReader, runId: string, spec: MethodSpec): { html: string; json: string } {
  const report = makeReport(reader, runId, spec);
  const paths = reportPaths(reader, runId);
  const encoder = new TextEncoder();
  writeDurably(paths.json, [encoder.encode(report.json)]);
  writeDurably(paths.html, [encoder.encode(report.html)]);
  return paths;
}

function reportInput(reader: WorkspaceReader, record: RunRecord): ReportInput {
  const find = (name: string, isWanted: (mediaType: string) => boolean): Artifact | undefined =>
    record.artifacts.find((artifact) => artifact.name === name && isWanted(artifact.mediaType));
  return {
    params: record.request.params,
    metrics: record.metrics,
    series: reader.series(record.runId),
    artifactNames: record.artifacts.map((artifact) => artifact.name),
    json(name) {
      const artifact = find(name, (mediaType) => mediaType === 'application/json');
      return artifact && JSON.parse(new TextDecoder().decode(reader.readArtifact(artifact)));
    },
    image(name) {
      const artifact = find(name, (mediaType) => mediaType.startsWith('image/'));
      if (!artifact) return undefined;
      return `data:${artifact.mediaType};base64,${Buffer.from(reader.readArtifact(artifact)).toString('base64')}`;
    },
  };
}

function reportFacts(reader: WorkspaceReader, record: RunRecord, spec: MethodSpec): ReportFacts {
  const { request, environment, error } = record;
  const nameOfPath = pathNamer(dirname(reader.dir));
  const seed = request.params['seed'];
  const memory = reader.jobs(record.runId).flatMap((job) => job.peakMemoryBytes ?? []);
  const warnings = reader
    .events(record.runId, { types: ['log'] })
    .flatMap((event) => (event.type === 'log' && event.level === 'warning' ? [event.message] : []));
  return {
    runId: record.runId,
    state: record.state,
    method: {
      id: spec.id,
      title: spec.title,
      version: request.methodVersion,
      papers: spec.papers,
      purpose: spec.purpose,
      ...(spec.threatModel ? { threatModel: spec.threatModel } : {}),
    },
    recipe: request.recipe ?? null,
    seed: typeof seed === 'number' ? seed : null,
    createdAtMs: record.createdAtMs,
    finishedAtMs: record.finishedAtMs,
    durationMs: record.durationMs,
    jobs: record.jobs,
    ...(memory.length === 0 ? {} : { peakMemoryBytes: Math.max(...memory) }),
    environment,
    parameters: parameterFacts(
      spec,
      settleFiles(spec, request.params, (path) => (isAbsolute(path) ? nameOfPath(path) : path)),
    ),
    models: Object.entries(request.models).map(([role, model]) =>
      modelFact(role, spec, model, environment, nameOfPath),
    ),
    data: Object.entries(request.data).map(([role, data]) => dataFact(role, spec, data, environment?.data[role])),
    artifacts: record.artifacts,
    command: commandLine(spec, request, { nameOfPath }),
    warnings,
    ...(error === null ? {} : { error: { code: error.code, message: error.message, hint: error.hint } }),
  };
}

function parameterFacts(spec: MethodSpec, params: Readonly<Record<string, unknown>>): ReportFacts['parameters'] {
  const fields = new Map(paramFields(spec).map((field) => [field.name, field]));
  // A parameter of an older version of the method is shown under its own name.
  return Object.entries(params).map(([name, value]) => {
    const field = fields.get(name);
    if (!field) return { name, title: name, value, isDefault: false };
    const { title, unit, help, source } = field.ui;
    return { name, title, value, unit, help, source, isDefault: isSame(value, field.fallback) };
  });
}

function modelFact(
  role: string,
  spec: MethodSpec,
  model: ModelRef,
  environment: RunRecord['environment'],
  nameOfPath: (path: string) => string,
): InputFact {
  const title = spec.models[role]?.title ?? role;
  const sha256 = environment?.models[role];
  const files = Object.entries(environment?.weights?.[role] ?? {});
  if (model.kind === 'zoo') {
    return {
      role,
      title,
      name: model.architecture,
      // That of a job tells requests apart; nobody could compare it with a file.
      sha256: null,
      note: 'architecture, initialised from the seed',
    };
  }
  const name = nameOfPath(model.path);
  const isBundled = name.startsWith('bundled:');
  return {
    role,
    title,
    name: isBundled ? name : basename(model.path),
    sha256: sha256 ?? model.sha256 ?? null,
    note: pixelsText(model.normalisation),
    ...(files.length === 0 ? {} : { files: files.map(([file, sum]) => ({ name: file, sha256: sum })) }),
  };
}

/** How images were given to a model file: budgets of attacks are in pixels before that. */
function pixelsText(normalisation: Extract<ModelRef, { kind: 'file' }>['normalisation']): string {
  if (normalisation === undefined) return 'pixels as they are: no mean and standard deviation were told or found';
  return `pixels normalised by mean ${normalisation.mean.join(', ')} and standard deviation ${normalisation.std.join(', ')}`;
}

function dataFact(role: string, spec: MethodSpec, data: DataRef, sha256: string | undefined): InputFact {
  const limit = data.limit === undefined ? '' : `, at most ${data.limit} items`;
  const note = `split ${data.split}, format ${data.format}${limit}`;
  return { role, title: spec.data[role]?.title ?? role, name: basename(data.path), sha256: sha256 ?? null, note };
}
