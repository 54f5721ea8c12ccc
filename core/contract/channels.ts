/** How the contract travels between a window of the application and its main process. Without zod: the preload has it. */

export const channels = {
  /** `PortRequest` → Answer. */
  request: 'palimpsest:request',
  /** `PortAppend` → Answer with the bytes received so far. */
  append: 'palimpsest:append',
  /** SHA-256 → Answer with the bytes of that artifact. */
  artifact: 'palimpsest:artifact',
  /** From now on this window gets events; a page that is loaded anew says so again. */
  listen: 'palimpsest:listen',
  /** To the window: a HostEvent. */
  event: 'palimpsest:event',
  /** To the window: an address after '#' that a menu, a dialog or a notification leads to. */
  go: 'palimpsest:go',
} as const;

export const appScheme = 'app';
export const appHost = 'palimpsest';
/** The one page that the application ever shows. */
export const appAddress = `${appScheme}://${appHost}/`;

/** The name under which the preload puts `HostPort` into the window. */
export const portName = 'palimpsest';

/** All that the preload exposes. What comes back is parsed by the window, what goes out by the main process. */
export interface HostPort {
  request(name: string, params: unknown): Promise<unknown>;
  append(uploadId: string, file: number, offset: number, bytes: Uint8Array): Promise<unknown>;
  artifact(sha256: string): Promise<unknown>;
  /** Calls `listener` with every event from now on. Returns the function that ends it. */
  listen(listener: (event: unknown) => void): () => void;
  onGo(listener: (hash: string) => void): () => void;
}
