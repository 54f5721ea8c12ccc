import { randomBytes } from 'node:crypto';
import { zipSync } from 'fflate';
import { WorkbenchError } from '../base/errors.ts';
import type { LinkTarget } from '../contract/bridge.ts';
import { paths } from '../contract/http.ts';
import { findMethod } from '../methods/catalogue.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { WorkspaceReader } from '../store/workspace.ts';
import { bundleName, checkBundle, writeBundle } from './bundle/write.ts';
import { artifactFiles, checkDownload, csvFiles, textFile, type ExportFile } from './export-files.ts';
import { makeReport } from './report-files.ts';
import { seriesCsv } from './series-csv.ts';

/** What a link leads to. */
export interface Linked {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly fileName: string;
  /** To be saved, not shown. */
  readonly isDownload: boolean;
}

/** Tickets for what a frame, an image or a download fetches without a session's secret. */
export interface Links {
  /**
   * Relative URL, good for ten minutes. What it leads to is made when it is opened; all that can be known before is said
   * here. @throws RUN_UNKNOWN; METHOD_UNKNOWN; RUN_STATE for a bundle of a run that has not ended; USAGE for an artifact
   * that is not there, or for too much at once
   */
  create(target: LinkTarget): string;
  /** The same for something made already. */
  keep(made: Linked): string;
  /** undefined for a ticket that is not known or too old. */
  open(ticket: string): Linked | undefined;
}

const lifeMs = 10 * 60_000;

export function createLinks(workspace: WorkspaceReader, specs: readonly MethodSpec[], now: () => number): Links {
  const tickets = new Map<string, { readonly open: () => Linked; readonly untilMs: number }>();
  const issue = (name: string, open: () => Linked): string => {
    const atMs = now();
    for (const [ticket, { untilMs }] of tickets) if (untilMs < atMs) tickets.delete(ticket);
    const ticket = randomBytes(24).toString('base64url');
    tickets.set(ticket, { open, untilMs: atMs + lifeMs });
    return `${paths.link}${ticket}/${encodeURIComponent(name)}`;
  };
  return {
    create(target) {
      check(workspace, specs, target);
      const fileName = nameOf(workspace, target);
      return issue(fileName, () => ({ ...contentOf(workspace, specs, target), fileName }));
    },
    keep: (made) => issue(made.fileName, () => made),
    open(ticket) {
      const found = tickets.get(ticket);
      return found && found.untilMs >= now() ? found.open() : undefined;
    },
  };
}

function check(workspace: WorkspaceReader, specs: readonly MethodSpec[], target: LinkTarget): void {
  if (target.kind === 'bundle') return checkBundle(workspace, target.runIds);
  if (target.kind === 'artifact') return checkDownload([findArtifact(workspace, target)]);
  if (target.kind === 'series') return target.curves.forEach(({ runId }) => void workspace.getRow(runId));
  const { request, artifacts } = workspace.getRun(target.runId);
  findMethod(request.methodId, specs);
  const hasFiles = target.kind === 'export' && (target.format === 'artifacts' || target.format === 'all');
  if (hasFiles) checkDownload(artifacts);
}

function nameOf(workspace: WorkspaceReader, target: LinkTarget): string {
  if (target.kind === 'bundle') return bundleName(target.runIds.map((run) => workspace.getRun(run).runId));
  if (target.kind === 'series') return `${target.title}.csv`;
  const { runId } = workspace.getRun(target.runId);
  if (target.kind === 'report') return `${runId}.html`;
  if (target.kind === 'artifact') return findArtifact(workspace, target).name;
  const isFile = target.format === 'html' || target.format === 'json' || target.format === 'sarif';
  return isFile ? `palimpsest-${runId}.${target.format}` : `palimpsest-${runId}-${target.format}.zip`;
}

function findArtifact(workspace: WorkspaceReader, { runId, name }: Extract<LinkTarget, { kind: 'artifact' }>) {
  const artifact = workspace.getRun(runId).artifacts.find((each) => each.name === name);
  if (artifact) return artifact;
  throw new WorkbenchError('USAGE', `Run ${runId} has no artifact "${name}"`);
}

function contentOf(
  workspace: WorkspaceReader,
  specs: readonly MethodSpec[],
  target: LinkTarget,
): Omit<Linked, 'fileName'> {
  if (target.kind === 'bundle') {
    return { bytes: writeBundle(workspace, target.runIds, specs), mediaType: 'application/zip', isDownload: true };
  }
  if (target.kind === 'artifact') {
    const artifact = findArtifact(workspace, target);
    return { bytes: workspace.readArtifact(artifact), mediaType: artifact.mediaType, isDownload: true };
  }
  if (target.kind === 'series') {
    const bytes = new TextEncoder().encode(seriesCsv(workspace, target.xTitle, target.curves));
    return { bytes, mediaType: 'text/csv', isDownload: true };
  }
  const record = workspace.getRun(target.runId);
  const report = makeReport(workspace, record.runId, findMethod(record.request.methodId, specs));
  const html = textFile('report.html', report.html);
  const json = textFile('report.json', report.json);
  const sarif = textFile('report.sarif', report.sarif);
  const csv = (): ExportFile[] => csvFiles(report.document, workspace.series(record.runId));
  const artifacts = (): ExportFile[] => artifactFiles(record.artifacts, workspace);
  if (target.kind === 'report') return { bytes: html.bytes(), mediaType: 'text/html', isDownload: false };
  switch (target.format) {
    case 'html':
      return { bytes: html.bytes(), mediaType: 'text/html', isDownload: true };
    case 'json':
      return { bytes: json.bytes(), mediaType: 'application/json', isDownload: true };
    case 'sarif':
      return { bytes: sarif.bytes(), mediaType: 'application/sarif+json', isDownload: true };
    case 'csv':
      return zipped(csv());
    case 'artifacts':
      return zipped(artifacts());
    case 'all':
      return zipped([html, json, sarif, ...csv(), ...artifacts()]);
  }
}

/** Without times, so that the same run gives the same bytes. */
function zipped(files: readonly ExportFile[]): Omit<Linked, 'fileName'> {
  const entries = files.map((file) => [file.path, file.bytes()] as const);
  const bytes = zipSync(Object.fromEntries(entries), { mtime: new Date(1980, 0, 1), level: 6 });
  return { bytes, mediaType: 'application/zip', isDownload: true };
}
