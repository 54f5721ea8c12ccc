/** Where things lie in a workspace: paths relative to its folder, with forward slashes. */

export const databaseFile = 'palimpsest.db';
export const lockFolder = 'locks';

/** A stored file by its SHA-256 (64 hex digits); the first two spread the files over 256 folders. */
export const artifactFile = (sha256: string): string => `artifacts/${sha256.slice(0, 2)}/${sha256}`;

export const runsFolder = 'runs';

export const checkpointFolder = (runId: string): string => `${runsFolder}/${runId}/checkpoints`;

/** What a run has put aside until it ends; see `RunContext.scratch`. */
export const scratchFolder = (runId: string): string => `${runsFolder}/${runId}/scratch`;
