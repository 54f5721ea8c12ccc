import { BrowserWindow } from 'electron';
import { appAddress } from '../core/contract/channels.ts';
import { webPreferences } from './guards.ts';

/** A4 and margins are the report's own (@page of core/report/theme.ts). */
const asThePageSays = { printBackground: true, preferCSSPageSize: true, generateTaggedPDF: true } as const;

/** Prints what a ticket leads to, in a window that nobody sees and that runs no script. `url` is relative to our page. */
export async function printPdf(url: string): Promise<Uint8Array> {
  const window = new BrowserWindow({ show: false, webPreferences: { ...webPreferences, javascript: false } });
  try {
    await window.loadURL(new URL(url, appAddress).href);
    return await window.webContents.printToPDF(asThePageSays);
  } finally {
    window.destroy();
  }
}
