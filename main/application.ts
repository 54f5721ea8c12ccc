import { dirname, join } from 'node:path';
import { app, dialog, session } from 'electron';
import { toWorkbenchError } from '../core/base/errors.ts';
import { startChildrenBy } from '../core/runtime/child-process.ts';
import { startUtility } from './children.ts';
import { guardContents, guardSession, shutTheNet } from './guards.ts';
import { answerWindows } from './port.ts';
import { declareScheme, serveInterface } from './protocol.ts';
import { openFirstHost } from './first-workspace.ts';
import { openWindows } from './windows.ts';

/** The application: one process, one workspace, one window. */
const out = dirname(import.meta.dirname);

// The name under which Windows knows whose notifications these are; that of the packages.
app.setAppUserModelId('invalid.palimpsest.workbench');
shutTheNet();
declareScheme();
app.enableSandbox();
startChildrenBy(startUtility);

if (app.requestSingleInstanceLock()) void app.whenReady().then(start).catch(sayWhyNot);
else app.quit();

async function start(): Promise<void> {
  guardSession(session.defaultSession);
  guardContents(app);
  const host = await openFirstHost(async () => windows.changeWorkspace());
  if (!host) return app.quit();
  const windows = openWindows(host, join(out, 'preload', 'index.cjs'));
  serveInterface(session.defaultSession, host, join(out, 'renderer'));
  answerWindows(host);
  windows.show();
}

function sayWhyNot(thrown: unknown): void {
  const { code, message, hint } = toWorkbenchError(thrown);
  dialog.showErrorBox('Palimpsest cannot start', [message, hint, `[${code}]`].filter(Boolean).join('\n\n'));
  app.quit();
}
