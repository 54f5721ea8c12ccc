import { resolve } from 'node:path';
import { canMove } from '../core/jobs/states.ts';
import type { Workspace, WorkspaceOptions, WorkspaceReader } from '../core/store/workspace.ts';
import type { Arguments } from './arguments.ts';
import type { Surroundings } from './verb.ts';

/** --workspace, else $PALIMPSEST_WORKSPACE, else ./palimpsest-workspace; absolute. */
export function workspaceFolder(args: Pick<Arguments, 'text'>, here: Pick<Surroundings, 'cwd' | 'env'>): string {
  const fromEnvironment = here.env['PALIMPSEST_WORKSPACE'] || undefined;
  return resolve(here.cwd, args.text('workspace') ?? fromEnvironment ?? 'palimpsest-workspace');
}

const options = ({ now, random }: Surroundings): WorkspaceOptions => ({ now, random, canMove });

/** SQLite is loaded by the verbs that look into the history, not by help. */
const openers = () => import('../core/store/workspace.ts');

/** Opens the workspace for writing for as long as `work` takes. */
export async function withWorkspace<T>(
  args: Arguments,
  here: Surroundings,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const { openWorkspace } = await openers();
  const workspace = openWorkspace(workspaceFolder(args, here), options(here));
  try {
    return await work(workspace);
  } finally {
    workspace.close();
  }
}

/** Opens the workspace for reading; works beside a writer. */
export async function withReader<T>(
  args: Arguments,
  here: Surroundings,
  work: (reader: WorkspaceReader) => T | Promise<T>,
): Promise<T> {
  const { readWorkspace } = await openers();
  const reader = readWorkspace(workspaceFolder(args, here), options(here));
  try {
    return await work(reader);
  } finally {
    reader.close();
  }
}
