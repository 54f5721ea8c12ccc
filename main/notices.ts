import { Notification, type BrowserWindow } from 'electron';
import type { HostEvent } from '../core/contract/bridge.ts';
import type { Host } from './host.ts';

interface Desktop {
  show(hash?: string): void;
  window(): BrowserWindow | undefined;
}

const endings: Readonly<Record<string, string>> = {
  succeeded: 'Done',
  failed: 'Failed',
  interrupted: 'Interrupted',
};

/** How far a run is, on the icon of the window, and how it has ended, when nobody looks at the window. */
export function tellDesktop(host: Host, desktop: Desktop): void {
  host.onEvent((event) => {
    if (event.type === 'job') tell(event.event, desktop);
    if (event.type === 'queue' && event.queue.halted) {
      notify('The queue has stopped', event.queue.halted.error.message, '#/', desktop);
    }
  });
}

function tell(event: Extract<HostEvent, { type: 'job' }>['event'], desktop: Desktop): void {
  const window = desktop.window();
  if (event.type === 'progress') window?.setProgressBar(Math.min(1, Math.max(0, event.fraction)));
  if (event.type !== 'finished') return;
  window?.setProgressBar(-1);
  const title = endings[event.state];
  if (title !== undefined) {
    notify(`${title}: run ${event.runId}`, event.error?.message ?? '', `#/runs/${event.runId}`, desktop);
  }
}

function notify(title: string, body: string, hash: string, { show, window }: Desktop): void {
  if (window()?.isFocused() || !Notification.isSupported()) return;
  const notification = new Notification({ title, body, silent: true });
  notification.on('click', () => show(hash));
  notification.show();
}
