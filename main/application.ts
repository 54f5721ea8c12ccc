import { dirname, join } from 'node:path';
import { app, session } from 'electron';
import { startChildrenBy } from '../core/runtime/child-process.ts';
import { startUtility } from './children.ts';
import { guardContents, guardSession, shutTheNet } from './guards.ts';
import { answerWindows } from './port.ts';
import { declareScheme, serveInterface } from './protocol.ts';
import { openWindows } from './windows.ts';
import { openHost, sayWhyNot } from './host.ts';

/** The application: one process, one workspace, one window. */
const out = dirname(import.meta.dirname);

// The name under which Windows knows whose notifications these are; that of the packages.
app.setAppUserModelId('invalid.palimpsest.workbench');
shutTheNet();
declareScheme();
app.enableSandbox();
startChildrenBy(startUtility);

if (app.requestSingleInstanceLock()) void app.whenReady().then(start);
else app.quit();

function start(): void {
  guardSession(session.defaultSession);
  guardContents(app);
  try {
    const host = openHost(async () => windows.changeWorkspace());
    const windows = openWindows(host, join(out, 'preload', 'index.cjs'));
    serveInterface(session.defaultSession, host, join(out, 'renderer'));
    answerWindows(host);
    windows.show();
  } catch (thrown) {
    sayWhyNot(thrown);
    app.quit();
  }
}
