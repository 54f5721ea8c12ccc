import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { app, dialog } from 'electron';
import { z } from 'zod';
import { wallClock } from '../core/base/clock.ts';
import { toWorkbenchError } from '../core/base/errors.ts';
import type { HostEvent } from '../core/contract/bridge.ts';
import { canMove } from '../core/jobs/states.ts';
import { catalogue } from '../core/methods/catalogue.ts';
import { openService, type Service } from '../core/service/service.ts';
import { databasePath } from '../core/store/database.ts';
import { openWorkspace, type Workspace } from '../core/store/workspace.ts';
import { printPdf } from './print.ts';

/** The workspace that is open, and the service on it. Both change when the user chooses another folder. */
export interface Host {
  readonly service: Service;
  readonly workspaceDir: string;
  /** Calls `listener` with every event of whichever service there is. */
  onEvent(listener: (event: HostEvent) => void): void;
  /**
   * Goes over to the workspace in `folder`, which is opened before the present one is let go of, and is remembered for the
   * next start. Resolves to false, and nothing has changed, when it is this one or `mayLeave` says no.
   * @throws WORKSPACE_BUSY, WORKSPACE_UNUSABLE with nothing changed
   */
  move(folder: string, mayLeave: () => Promise<boolean>): Promise<boolean>;
}

const Chosen = z.object({ workspace: z.string().min(1) });
const chosenFile = (): string => join(app.getPath('userData'), 'workspace.json');
const usualName = 'palimpsest-workspace';

/**
 * Opens the workspace for as long as the application runs. `changeWorkspace` answers a window that asks for another one.
 * @throws WORKSPACE_BUSY, WORKSPACE_UNUSABLE
 */
export function openHost(changeWorkspace: () => Promise<boolean>): Host {
  const listeners = new Set<(event: HostEvent) => void>();
  const serve = (workspace: Workspace): Service => {
    const service = openService({
      workspace,
      specs: catalogue,
      now: wallClock,
      elapsed: () => performance.now(),
      printPdf,
      changeWorkspace,
      cwd: app.isPackaged ? dirname(workspace.dir) : process.cwd(),
    });
    service.subscribe((event) => {
      for (const listener of listeners) listener(event);
    });
    return service;
  };
  let workspace = openStore(workspaceFolder());
  let service = serve(workspace);
  return {
    get service() {
      return service;
    },
    get workspaceDir() {
      return workspace.dir;
    },
    onEvent: (listener) => void listeners.add(listener),
    async move(folder, mayLeave) {
      const dir = folderWithin(folder);
      if (realPath(dir) === realPath(workspace.dir)) return false;
      const next = openStore(dir);
      if (!(await mayLeave())) {
        next.close();
        return false;
      }
      await service.close();
      workspace = next;
      service = serve(next);
      writeFileSync(chosenFile(), `${JSON.stringify({ workspace: dir })}\n`);
      return true;
    },
  };
}

const openStore = (dir: string): Workspace => openWorkspace(dir, { now: wallClock, random: Math.random, canMove });

const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : path);

/** A folder with other things in it gets one of our own. */
function folderWithin(folder: string): string {
  const isOurs = existsSync(databasePath(folder)) || basename(folder) === usualName;
  const isEmpty = !existsSync(folder) || readdirSync(folder).length === 0;
  return isOurs || isEmpty ? folder : join(folder, usualName);
}

/** --workspace=DIR, $PALIMPSEST_WORKSPACE, the one chosen last, or the usual one. */
function workspaceFolder(): string {
  const asked = app.commandLine.getSwitchValue('workspace') || process.env['PALIMPSEST_WORKSPACE'];
  if (asked) return resolve(asked);
  return chosenFolder() ?? join(app.isPackaged ? app.getPath('documents') : process.cwd(), usualName);
}

function chosenFolder(): string | undefined {
  try {
    return Chosen.parse(JSON.parse(readFileSync(chosenFile(), 'utf8'))).workspace;
  } catch {
    // Nothing was chosen yet.
    return undefined;
  }
}

/** What kept the application from starting, in a dialog: there is no window to say it in. */
export function sayWhyNot(thrown: unknown): void {
  const { code, message, hint } = toWorkbenchError(thrown);
  dialog.showErrorBox(
    'Palimpsest cannot open its workspace',
    [message, hint, `[${code}]`].filter(Boolean).join('\n\n'),
  );
}
