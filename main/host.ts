import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { app, dialog } from 'electron';
import { z } from 'zod';
import { wallClock } from '../core/base/clock.ts';
import { toWorkbenchError } from '../core/base/errors.ts';
import { canMove } from '../core/jobs/states.ts';
import { catalogue } from '../core/methods/catalogue.ts';
import { openService, type Service } from '../core/service/service.ts';
import { openWorkspace } from '../core/store/workspace.ts';
import { printPdf } from './print.ts';

export interface Host {
  readonly service: Service;
  readonly workspaceDir: string;
}

const Chosen = z.object({ workspace: z.string().min(1) });
const chosenFile = (): string => join(app.getPath('userData'), 'workspace.json');

/** Opens the workspace for as long as the application runs. @throws WORKSPACE_BUSY, WORKSPACE_UNUSABLE */
export function openHost(): Host {
  const workspaceDir = workspaceFolder();
  const workspace = openWorkspace(workspaceDir, { now: wallClock, random: Math.random, canMove });
  const service = openService({
    workspace,
    specs: catalogue,
    now: wallClock,
    elapsed: () => performance.now(),
    printPdf,
    cwd: app.isPackaged ? dirname(workspaceDir) : process.cwd(),
  });
  return { service, workspaceDir };
}

/** --workspace=DIR, $PALIMPSEST_WORKSPACE, the one chosen last, or the usual one. */
function workspaceFolder(): string {
  const asked = app.commandLine.getSwitchValue('workspace') || process.env['PALIMPSEST_WORKSPACE'];
  if (asked) return resolve(asked);
  const usual = join(app.isPackaged ? app.getPath('documents') : process.cwd(), 'palimpsest-workspace');
  return chosenFolder() ?? usual;
}

function chosenFolder(): string | undefined {
  try {
    return Chosen.parse(JSON.parse(readFileSync(chosenFile(), 'utf8'))).workspace;
  } catch {
    // Nothing was chosen yet.
    return undefined;
  }
}

/** From the next start on. */
export function rememberFolder(workspace: string): void {
  writeFileSync(chosenFile(), `${JSON.stringify({ workspace })}\n`);
}

/** What kept the application from starting, in a dialog: there is no window to say it in. */
export function sayWhyNot(thrown: unknown): void {
  const { code, message, hint } = toWorkbenchError(thrown);
  dialog.showErrorBox(
    'Palimpsest cannot open its workspace',
    [message, hint, `[${code}]`].filter(Boolean).join('\n\n'),
  );
}
