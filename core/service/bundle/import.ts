import { statSync } from 'node:fs';
import { WorkbenchError } from '../../base/errors.ts';
import type { ImportedRun } from '../../contract/bundle.ts';
import { writeDurably } from '../../jobs/durable-files.ts';
import type { Workspace } from '../../store/workspace.ts';
import { artifactsOf, openBundle } from './read.ts';
import { fingerprintOf } from './signing-key.ts';

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
}

/**
 * Takes the runs of a bundle into the history. The same bundle again changes nothing. Everything is checked before
 * anything is written. @throws BUNDLE_UNREADABLE; RUN_STATE when another run has the id of one of them
 */
export function importBundle(workspace: Workspace, path: string, { expectedKey, now }: ImportOptions): ImportResult {
  const bundle = openBundle(path, workspace.dir);
  try {
    const key = fingerprintOf(bundle.manifest.publicKey);
    if (expectedKey !== undefined && expectedKey.toLowerCase() !== key) {
      throw new WorkbenchError('BUNDLE_UNREADABLE', `The bundle was signed by ${key}, expected ${expectedKey}`, {
        hint: 'Ask the one who made it for the fingerprint of the key.',
      });
    }
    const contents = bundle.manifest.runs.map((runId) => bundle.run(runId));
    const artifacts = new Map(
      contents.flatMap(({ events }) => artifactsOf(events).map((artifact) => [artifact.sha256, artifact.sizeBytes])),
    );
    // Every file is read, and so checked, before the first one is written: memory for one at a time.
    for (const sha256 of artifacts.keys()) bundle.artifact(sha256);
    for (const [sha256, sizeBytes] of artifacts) {
      const target = workspace.artifactPath(sha256);
      if (statSync(target, { throwIfNoEntry: false })?.size !== sizeBytes)
        writeDurably(target, [bundle.artifact(sha256)]);
    }
    const atMs = Math.round(now());
    const runs = contents.map(({ run, events }) => {
      const { runId } = run;
      return { runId, outcome: workspace.importRun({ ...run, events }, { key, atMs }) };
    });
    return { key, runs };
  } finally {
    bundle.close();
  }
}
