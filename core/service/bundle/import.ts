import type { ImportedRun } from '../../contract/bundle.ts';
import type { ForeignRun } from '../../store/import-run.ts';
import type { Workspace } from '../../store/workspace.ts';
import { lookApart } from '../apart.ts';
import { openBundle, type OpenBundle } from './read.ts';
import { Unpacked, type UnpackAsked } from './unpack.ts';
import { unreadable } from './zip-entries.ts';

export interface ImportResult {
  /** Fingerprint of the key that signed the bundle. */
  readonly key: string;
  readonly runs: readonly ImportedRun[];
}

export interface ImportOptions {
  /** Refuse a bundle that another key has signed. */
  readonly expectedKey?: string | undefined;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Where the bundle is checked and unpacked; in a process of its own when absent. */
  readonly unpack?: (asked: UnpackAsked) => Promise<Unpacked>;
}

/**
 * Takes the runs of a bundle into the history, all or none. The same bundle again changes nothing. Everything is checked
 * before anything is written. @throws BUNDLE_UNREADABLE; RUN_STATE when another run has the id of one of them
 */
export async function importBundle(
  workspace: Workspace,
  path: string,
  { expectedKey, now, unpack = unpackApart }: ImportOptions,
): Promise<ImportResult> {
  const asked = { path, workspaceDir: workspace.dir };
  const { key, manifest } = await unpack(expectedKey === undefined ? asked : { ...asked, expectedKey });
  const bundle = openBundle(path, workspace.dir);
  try {
    if (bundle.manifestSha256 !== manifest) throw unreadable('it was changed while it was being read');
    return { key, runs: workspace.importRuns(runsOf(bundle), { key, atMs: Math.round(now()) }) };
  } finally {
    bundle.close();
  }
}

const unpackApart = async (asked: UnpackAsked): Promise<Unpacked> =>
  Unpacked.parse(await lookApart({ kind: 'bundle', ...asked }));

/** One after the other, so that one at a time is in memory. */
function* runsOf(bundle: OpenBundle): Generator<ForeignRun> {
  for (const runId of bundle.manifest.runs) {
    const { run, events } = bundle.run(runId);
    yield { ...run, events };
  }
}
