import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { app } from 'electron';
import { z } from 'zod';
import { wallClock } from '../core/base/clock.ts';
import { WorkbenchError } from '../core/base/errors.ts';
import type { HostEvent } from '../core/contract/bridge.ts';
import { writeDurably } from '../core/jobs/durable-files.ts';
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
 * Opens the workspace in `dir` for as long as the application runs. `changeWorkspace` answers a window that asks for another
 * one. @throws WORKSPACE_BUSY, WORKSPACE_UNUSABLE with nothing left open
 */
export function openHost(dir: string, changeWorkspace: () => Promise<boolean>): Host {
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
  let open = serveStore(openStore(dir), serve);
  return {
    get service() {
      return open.service;
    },
    get workspaceDir() {
      return open.workspace.dir;
    },
    onEvent: (listener) => void listeners.add(listener),
    async move(folder, mayLeave) {
      const there = folderWithin(folder);
      const here = open.workspace.dir;
      if (realPath(there) === realPath(here)) return false;
      const next = openStore(there);
      try {
        if (!(await mayLeave())) {
          next.close();
          return false;
        }
        remember(there);
      } catch (thrown) {
        next.close();
        throw thrown;
      }
      await open.service.close();
      open = serveStore(next, serve);
      return true;
    },
  };
}

const openStore = (dir: string): Workspace => openWorkspace(dir, { now: wallClock, random: Math.random, canMove });

interface OpenStore {
  readonly workspace: Workspace;
  readonly service: Service;
}

function serveStore(workspace: Workspace, serve: (workspace: Workspace) => Service): OpenStore {
  try {
    return { workspace, service: serve(workspace) };
  } catch (thrown) {
    workspace.close();
    throw thrown;
  }
}

const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : path);

/** A folder with other things in it gets one of our own. @throws WORKSPACE_UNUSABLE for one that cannot be read */
export function folderWithin(folder: string): string {
  const isOurs = existsSync(databasePath(folder)) || basename(folder) === usualName;
  return isOurs || isEmpty(folder) ? folder : join(folder, usualName);
}

function isEmpty(folder: string): boolean {
  try {
    return !existsSync(folder) || readdirSync(folder).length === 0;
  } catch (thrown) {
    throw new WorkbenchError('WORKSPACE_UNUSABLE', `The folder ${folder} cannot be read`, {
      hint: 'Check its permissions, or choose another folder.',
      cause: thrown,
    });
  }
}

/** The workspace of this start. */
export interface WantedWorkspace {
  readonly dir: string;
  /** It was in use before, so that one that is not there any more is not made anew. */
  readonly isRemembered: boolean;
}

/** --workspace=DIR, $PALIMPSEST_WORKSPACE, the one chosen last, or the usual one. */
export function wantedWorkspace(): WantedWorkspace {
  const asked = app.commandLine.getSwitchValue('workspace') || process.env['PALIMPSEST_WORKSPACE'];
  if (asked) return { dir: resolve(asked), isRemembered: false };
  const chosen = chosenFolder();
  if (chosen !== undefined) return { dir: chosen, isRemembered: true };
  return { dir: join(app.isPackaged ? app.getPath('documents') : process.cwd(), usualName), isRemembered: false };
}

function chosenFolder(): string | undefined {
  try {
    return Chosen.parse(JSON.parse(readFileSync(chosenFile(), 'utf8'))).workspace;
  } catch {
    // Nothing was chosen yet.
    return undefined;
  }
}

/** For the next start. @throws WORKSPACE_UNUSABLE */
export function remember(dir: string): void {
  writeDurably(chosenFile(), [new TextEncoder().encode(`${JSON.stringify({ workspace: dir })}\n`)]);
}
