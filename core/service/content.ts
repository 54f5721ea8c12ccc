/** Bytes that leave the workbench. They need not be in memory: they are made or read while they are sent. */
export interface Content {
  readonly sizeBytes: number;
  /** From the beginning, each time it is called. What goes wrong on the way is thrown there. */
  readonly pieces: () => Iterable<Uint8Array>;
}

export const bytesContent = (bytes: Uint8Array): Content => ({ sizeBytes: bytes.byteLength, pieces: () => [bytes] });

const encoder = new TextEncoder();

export const textContent = (text: string): Content => bytesContent(encoder.encode(text));
