import { contextBridge, ipcRenderer } from 'electron';
import { channels, portName, type HostPort } from '../core/contract/channels.ts';

/** Hands what the main process sends on `channel` to `listener`, without the event that it came with. */
function hear(channel: string, listener: (value: string) => void): () => void {
  const pass = (_event: unknown, value: string): void => listener(value);
  ipcRenderer.on(channel, pass);
  return () => void ipcRenderer.off(channel, pass);
}

const port: HostPort = {
  request: async (name, params) => ipcRenderer.invoke(channels.request, { name, params }),
  append: async (uploadId, file, offset, bytes) =>
    ipcRenderer.invoke(channels.append, { uploadId, file, offset, bytes }),
  artifact: async (sha256) => ipcRenderer.invoke(channels.artifact, sha256),
  listen(listener) {
    const leave = hear(channels.event, listener);
    void ipcRenderer.invoke(channels.listen);
    return leave;
  },
  onGo: (listener) => hear(channels.go, listener),
};

contextBridge.exposeInMainWorld(portName, port);
