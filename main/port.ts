import { ipcMain, type IpcMainInvokeEvent, type WebContents } from 'electron';
import type { z } from 'zod';
import { toWorkbenchError, WorkbenchError } from '../core/base/errors.ts';
import type { Answer } from '../core/contract/bridge.ts';
import { appAddress, channels } from '../core/contract/channels.ts';
import { PortAppend, PortArtifact, PortRequest } from '../core/contract/port.ts';
import type { Host } from './host.ts';

/** Answers what windows ask over their preload (core/contract/channels.ts). Only our own page is answered. */
export function answerWindows(host: Pick<Host, 'service'>): void {
  handle(channels.request, PortRequest, async ({ name, params }) => host.service.request(name, params));
  handle(channels.append, PortAppend, ({ uploadId, file, offset, bytes }) => ({
    ok: true,
    result: host.service.append(uploadId, file, offset, bytes),
  }));
  handle(channels.artifact, PortArtifact, (sha256) => {
    const bytes = host.service.artifact(sha256);
    if (bytes) return { ok: true, result: bytes };
    throw new WorkbenchError('USAGE', 'There is no such artifact');
  });
  const heard = new Map<WebContents, () => void>();
  ipcMain.handle(channels.listen, (event): Answer => {
    if (!isOwnPage(event)) return refused();
    const { sender } = event;
    const leave = heard.get(sender);
    leave?.();
    heard.set(
      sender,
      host.service.subscribe((each) => sender.isDestroyed() || sender.send(channels.event, each)),
    );
    if (!leave) {
      sender.once('destroyed', () => {
        heard.get(sender)?.();
        heard.delete(sender);
      });
    }
    return { ok: true, result: {} };
  });
}

function handle<T extends z.ZodType>(
  channel: string,
  schema: T,
  answer: (given: z.output<T>) => Answer | Promise<Answer>,
): void {
  ipcMain.handle(channel, async (event, given): Promise<Answer> => {
    if (!isOwnPage(event)) return refused();
    try {
      const parsed = schema.safeParse(given);
      if (parsed.success) return await answer(parsed.data);
      throw new WorkbenchError('USAGE', `The message on ${channel} is not what the contract says`);
    } catch (thrown) {
      return { ok: false, error: toWorkbenchError(thrown).toShape() };
    }
  });
}

/** The one page of the application itself, not a frame inside it and not a page that something led to. */
function isOwnPage({ senderFrame }: IpcMainInvokeEvent): boolean {
  if (!senderFrame || senderFrame.parent !== null) return false;
  return senderFrame.url.split('#')[0] === appAddress;
}

const refused = (): Answer => ({
  ok: false,
  error: new WorkbenchError('USAGE', 'This page may not ask the workbench').toShape(),
});
