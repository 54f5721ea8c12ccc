import { randomBytes } from 'node:crypto';
import { WorkbenchError } from '../base/errors.ts';
import type { LinkTarget } from '../contract/bridge.ts';
import { paths } from '../contract/http.ts';
import { findMethod } from '../methods/catalogue.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { WorkspaceReader } from '../store/workspace.ts';
import { bundleName, makeBundle } from './bundle/write.ts';
import { textContent, type Content } from './content.ts';
import { artifactFiles, csvFiles, textFile, type ExportFile } from './export-files.ts';
import { makeReport } from './report-files.ts';
import { seriesCsv } from './series-csv.ts';
import { readPart, zipOf, type ZipPart } from './zip-write.ts';

/** What a link leads to. */
export interface Linked {
  readonly content: Content;
  readonly mediaType: string;
  readonly fileName: string;
  /** To be saved, not shown. */
  readonly isDownload: boolean;
}

/** Tickets for what a frame, an image or a download fetches without a session's secret. */
export interface Links {
  /**
   * Relative URL, good for ten minutes. What it leads to has been made, and all files of it read, when it is there: a
   * download has nobody to tell what went wrong. Files of runs are read once more while they are sent. @throws
   * RUN_UNKNOWN; METHOD_UNKNOWN; RUN_STATE for a bundle of a run that has not ended; USAGE for an artifact that is not
   * there; WORKSPACE_UNUSABLE for a file that is missing or has changed
   */
  create(target: LinkTarget): Promise<string>;
  /** The same for something made already. */
  keep(made: Linked): string;
  /** undefined for a ticket that is not known or too old. @throws as `create`, for a ticket that is opened late */
  open(ticket: string): Promise<Linked | undefined>;
}

const lifeMs = 10 * 60_000;

export function createLinks(workspace: WorkspaceReader, specs: readonly MethodSpec[], now: () => number): Links {
  const tickets = new Map<string, { readonly open: () => Promise<Linked>; readonly untilMs: number }>();
  // Most are opened at once. Only the newest is kept, so that many take no memory.
  let newest: { readonly ticket: string; readonly linked: Linked } | undefined;
  const issue = (name: string, open: () => Promise<Linked>): { readonly ticket: string; readonly url: string } => {
    const atMs = now();
    for (const [ticket, { untilMs }] of tickets) if (untilMs < atMs) tickets.delete(ticket);
    const ticket = randomBytes(24).toString('base64url');
    tickets.set(ticket, { open, untilMs: atMs + lifeMs });
    return { ticket, url: `${paths.link}${ticket}/${encodeURIComponent(name)}` };
  };
  return {
    async create(target) {
      const make = async (): Promise<Linked> => makeLinked(workspace, specs, target);
      const linked = await make();
      const { ticket, url } = issue(linked.fileName, make);
      newest = { ticket, linked };
      return url;
    },
    keep: (made) => issue(made.fileName, async () => Promise.resolve(made)).url,
    async open(ticket) {
      const found = tickets.get(ticket);
      if (!found || found.untilMs < now()) return undefined;
      return newest?.ticket === ticket ? newest.linked : found.open();
    },
  };
}

async function makeLinked(
  workspace: WorkspaceReader,
  specs: readonly MethodSpec[],
  target: LinkTarget,
): Promise<Linked> {
  if (target.kind === 'bundle') {
    const content = await makeBundle(workspace, target.runIds, specs);
    const fileName = bundleName(target.runIds.map((run) => workspace.getRun(run).runId));
    return { content, mediaType: 'application/zip', fileName, isDownload: true };
  }
  if (target.kind === 'series') {
    const content = textContent(seriesCsv(workspace, target.xTitle, target.curves));
    return { content, mediaType: 'text/csv', fileName: `${target.title}.csv`, isDownload: true };
  }
  const record = workspace.getRun(target.runId);
  if (target.kind === 'artifact') {
    const artifact = record.artifacts.find(({ name }) => name === target.name);
    if (!artifact) throw new WorkbenchError('USAGE', `Run ${record.runId} has no artifact "${target.name}"`);
    const pieces = () => workspace.artifactPieces(artifact);
    const { packed } = await readPart({ path: artifact.name, pieces, isText: false });
    return { content: packed, mediaType: artifact.mediaType, fileName: artifact.name, isDownload: true };
  }
  const report = makeReport(workspace, record.runId, findMethod(record.request.methodId, specs));
  if (target.kind === 'report') {
    const fileName = `${record.runId}.html`;
    return { content: textContent(report.html), mediaType: 'text/html', fileName, isDownload: false };
  }
  const csv = (): ExportFile[] => csvFiles(report.document, report.facts.command, workspace.series(record.runId));
  const artifacts = (): ExportFile[] => artifactFiles(record.artifacts, workspace);
  const name = `palimpsest-${record.runId}`;
  const text = (extension: keyof typeof mediaTypes): Linked => {
    const [content, mediaType] = [textContent(report[extension]), mediaTypes[extension]];
    return { content, mediaType, fileName: `${name}.${extension}`, isDownload: true };
  };
  const zipped = async (files: readonly ExportFile[]): Promise<Linked> => {
    const parts: ZipPart[] = [];
    for (const file of files) parts.push(await readPart(file));
    const fileName = `${name}-${target.format}.zip`;
    return { content: zipOf(parts), mediaType: 'application/zip', fileName, isDownload: true };
  };
  switch (target.format) {
    case 'html':
    case 'json':
    case 'sarif':
      return text(target.format);
    case 'csv':
      return zipped(csv());
    case 'artifacts':
      return zipped(artifacts());
    case 'all': {
      const texts = (['html', 'json', 'sarif'] as const).map((format) => textFile(`report.${format}`, report[format]));
      return zipped([...texts, ...csv(), ...artifacts()]);
    }
  }
}

const mediaTypes = { html: 'text/html', json: 'application/json', sarif: 'application/sarif+json' } as const;
