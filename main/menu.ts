import { app, dialog, type MenuItemConstructorOptions } from 'electron';

interface MenuActions {
  show(hash?: string): void;
  readonly isPackaged: boolean;
  readonly platform: NodeJS.Platform;
}

const places: readonly (readonly [label: string, hash: string, key: string])[] = [
  ['Start', '#/', '1'],
  ['New run', '#/new', 'N'],
  ['Runs', '#/runs', '2'],
  ['Models', '#/models', '3'],
  ['Data', '#/data', '4'],
  ['Settings', '#/settings', ','],
];

export function menuTemplate(actions: MenuActions): MenuItemConstructorOptions[] {
  const { show, isPackaged, platform } = actions;
  const view: MenuItemConstructorOptions[] = [
    { role: 'reload' },
    { type: 'separator' },
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { type: 'separator' },
    { role: 'togglefullscreen' },
    ...(isPackaged ? [] : [{ role: 'toggleDevTools' as const }]),
  ];
  return [
    ...(platform === 'darwin' ? [{ role: 'appMenu' as const }] : []),
    { label: '&File', submenu: fileMenu(actions) },
    { role: 'editMenu' },
    {
      label: '&Go',
      submenu: places.map(([label, hash, key]) => ({
        label,
        accelerator: `CommandOrControl+${key}`,
        click: () => show(hash),
      })),
    },
    { label: '&View', submenu: view },
    { label: '&Help', submenu: [{ label: 'About Palimpsest', click: () => void about() }] },
  ];
}

function fileMenu({ show }: MenuActions): MenuItemConstructorOptions[] {
  return [
    { label: 'Open model …', accelerator: 'CommandOrControl+O', click: () => void openModel(show) },
    { label: 'Open data …', accelerator: 'CommandOrControl+Shift+O', click: () => void openData(show) },
    { type: 'separator' },
    { label: 'Workspace', click: () => show('#/settings') },
    { type: 'separator' },
    { role: 'quit' },
  ];
}

async function openModel(show: MenuActions['show']): Promise<void> {
  const { filePaths } = await dialog.showOpenDialog({
    title: 'Open a model',
    properties: ['openFile'],
    filters: [{ name: 'ONNX models', extensions: ['onnx'] }],
  });
  const [path] = filePaths;
  if (path !== undefined) show(`#/models/${encodeURIComponent(path)}`);
}

async function openData(show: MenuActions['show']): Promise<void> {
  const { filePaths } = await dialog.showOpenDialog({
    title: 'Open a data set',
    properties: ['openFile', 'openDirectory'],
  });
  const [path] = filePaths;
  if (path !== undefined) show(`#/data/${encodeURIComponent(path)}`);
}

async function about(): Promise<void> {
  await dialog.showMessageBox({
    type: 'info',
    message: `Palimpsest ${app.getVersion()}`,
    detail: `Electron ${process.versions.electron}, Chromium ${process.versions['chrome']}, Node ${process.versions.node}\nOffline: nothing is sent or fetched.`,
  });
}
