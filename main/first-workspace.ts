import { dirname } from 'node:path';
import { existsSync } from 'node:fs';
import { dialog } from 'electron';
import { toWorkbenchError, WorkbenchError } from '../core/base/errors.ts';
import { databasePath } from '../core/store/database.ts';
import { folderWithin, openHost, remember, wantedWorkspace, type Host } from './host.ts';

/** Opens the workspace of this start, or the one that the user chooses instead. Undefined when the user gives up. */
export async function openFirstHost(changeWorkspace: () => Promise<boolean>): Promise<Host | undefined> {
  let { dir, isRemembered } = wantedWorkspace();
  let isChosen = false;
  for (;;) {
    try {
      // Chosen in a dialog, it may have become another folder since the last try.
      const folder = isChosen ? folderWithin(dir) : dir;
      if (isRemembered && !existsSync(databasePath(folder))) throw gone(folder);
      const host = openHost(folder, changeWorkspace);
      if (isChosen) remember(folder);
      return host;
    } catch (thrown) {
      const answer = await askWhere(thrown, dir);
      if (answer === 'quit') return undefined;
      if (answer === 'again') continue;
      dir = answer.folder;
      isChosen = true;
      isRemembered = false;
    }
  }
}

/** Not made anew: it may lie on a disk that is not connected. */
const gone = (dir: string): WorkbenchError =>
  new WorkbenchError('WORKSPACE_UNUSABLE', `The workspace ${dir} is not there any more`, {
    hint: 'Connect the disk it lies on and try again, or choose the folder that it was moved to.',
  });

const buttons = ['Choose another folder…', 'Try again', 'Quit'];

/** What keeps the application from starting, and what to do: there is no window to say it in. */
async function askWhere(thrown: unknown, dir: string): Promise<'again' | 'quit' | { readonly folder: string }> {
  const { code, message, hint } = toWorkbenchError(thrown);
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: 'Palimpsest',
    message: 'Palimpsest cannot open its workspace',
    detail: [message, hint, `[${code}]`].filter(Boolean).join('\n\n'),
    buttons,
    defaultId: 1,
    cancelId: 2,
    noLink: true,
  });
  if (response === 1) return 'again';
  if (response !== 0) return 'quit';
  const { filePaths } = await dialog.showOpenDialog({
    title: 'Choose a workspace',
    defaultPath: dirname(dir),
    properties: ['openDirectory', 'createDirectory'],
  });
  const [folder] = filePaths;
  // Thought better of: back to the question.
  return folder === undefined ? askWhere(thrown, dir) : { folder };
}
