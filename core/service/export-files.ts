import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { toWorkbenchError, WorkbenchError } from '../base/errors.ts';
import type { Artifact } from '../contract/run.ts';
import { csvCell, tableCsv } from '../report/csv.ts';
import type { ReportDocument } from '../report/document.ts';
import { findingsTable } from '../report/findings.ts';
import type { WorkspaceReader } from '../store/workspace.ts';
import { textContent } from './content.ts';
import type { ZipSource } from './zip-write.ts';

/** A file of an export: path inside its folder, with forward slashes. */
export type ExportFile = ZipSource;

export const textFile = (path: string, text: string): ExportFile => ({
  path,
  pieces: textContent(text).pieces,
  isText: true,
});

/** One CSV per table of the report, one of its findings, and one with every point of every curve. */
export function csvFiles(
  document: ReportDocument,
  command: string,
  series: ReturnType<WorkspaceReader['series']>,
): ExportFile[] {
  const tables = document.sections.flatMap((section) => section.blocks.filter((block) => block.kind === 'table'));
  const findings = document.findings ?? [];
  const files = [
    ...tables.map((table, i) => textFile(`tables/${i + 1}-${slug(table.title)}.csv`, tableCsv(table))),
    ...(findings.length > 0 ? [textFile('findings.csv', tableCsv(findingsTable(findings, command)))] : []),
  ];
  const points = Object.values(series).flat();
  if (points.length === 0) return files;
  const rows = points.map((point) => `${csvCell(point.name)},${point.step},${point.value}\r\n`).join('');
  return [...files, textFile('series.csv', `metric,step,value\r\n${rows}`)];
}

/** The run's own files under readable names. */
export function artifactFiles(artifacts: readonly Artifact[], reader: WorkspaceReader): ExportFile[] {
  const taken = new Set<string>();
  return artifacts.map((artifact) => {
    const path = `artifacts/${freeName(fileName(artifact), taken)}`;
    const isText = textual.test(artifact.mediaType) && artifact.sizeBytes <= largestText;
    return { path, pieces: () => reader.artifactPieces(artifact), isText };
  });
}

const textual = /^text\/|json$/;
/** What shrinks is kept in memory until it is sent. */
const largestText = 16 * 2 ** 20;

const extensions: Readonly<Record<string, string>> = {
  'application/json': '.json',
  'application/octet-stream': '.bin',
  'image/png': '.png',
  'image/jpeg': '.jpg',
  'image/webp': '.webp',
  'text/csv': '.csv',
  'text/plain': '.txt',
};

/** Names come from a method, perhaps with a class name of the user in it: nothing in them may leave the folder. */
function fileName({ name, mediaType }: Artifact): string {
  const safe = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '') || 'artifact';
  const extension = extensions[mediaType] ?? '';
  return /\.[a-z0-9]{1,5}$/i.test(safe) || safe.endsWith(extension) ? safe : safe + extension;
}

function freeName(name: string, taken: Set<string>): string {
  let free = name;
  // Case does not tell files apart on every system.
  for (let i = 2; taken.has(free.toLowerCase()); i++) free = name.replace(/(\.[^.]*)?$/, `-${i}$1`);
  taken.add(free.toLowerCase());
  return free;
}

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60) || 'table';

/**
 * Writes all files into a new folder, or none: they are made beside it and renamed into place.
 * @throws USAGE when the folder exists and is not empty; WORKSPACE_UNUSABLE when it cannot be written.
 */
export function writeFolder(folder: string, files: readonly ExportFile[]): void {
  if (existsSync(folder) && !isEmptyFolder(folder)) {
    throw new WorkbenchError('USAGE', `The folder ${folder} exists already and is not empty`, {
      hint: 'Choose another one with -o DIR, or remove it first.',
    });
  }
  const temporary = join(dirname(folder), `.${basename(folder)}.${process.pid}.tmp`);
  try {
    mkdirSync(dirname(folder), { recursive: true });
    rmSync(temporary, { recursive: true, force: true });
    for (const file of files) writeSynced(join(temporary, ...file.path.split('/')), file.pieces());
    if (existsSync(folder)) rmSync(folder, { recursive: true });
    renameSync(temporary, folder);
  } catch (thrown) {
    rmSync(temporary, { recursive: true, force: true });
    if (thrown instanceof WorkbenchError) throw thrown;
    throw new WorkbenchError('WORKSPACE_UNUSABLE', `Cannot write ${folder}: ${toWorkbenchError(thrown).message}`, {
      hint: 'Check its permissions and the free space, or choose another folder with -o DIR.',
      cause: thrown,
    });
  }
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    // A file, or a folder that cannot be looked into: neither may be replaced.
    return false;
  }
}

function writeSynced(path: string, pieces: Iterable<Uint8Array>): void {
  mkdirSync(dirname(path), { recursive: true });
  const handle = openSync(path, 'wx');
  try {
    for (const piece of pieces) for (let done = 0; done < piece.byteLength;) done += writeSync(handle, piece, done);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
