import sharp from 'sharp';

/** The files that packages need of the application's icon, drawn from its one source. */

export const iconSource = new URL('../renderer/icons/palimpsest.svg', import.meta.url);
export const iconFolder = new URL('../assets/icon/', import.meta.url);

/** Squares of so many pixels; the largest is for screens of twice the density. */
export const iconSizes = [16, 32, 48, 64, 128, 256, 512, 1024] as const;

/** `SIZExSIZE.png`, and all of them once more as Windows and macOS want them. */
export async function drawIcons(svg: Uint8Array): Promise<ReadonlyMap<string, Buffer>> {
  const pictures = new Map<number, Buffer>();
  for (const size of iconSizes) pictures.set(size, await drawSquare(svg, size));
  return new Map([
    ...Array.from(pictures, ([size, png]) => [`${size}x${size}.png`, png] as const),
    ['icon.ico', windowsIcon([...pictures].filter(([size]) => size <= 256))],
    ['icon.icns', macIcon(pictures)],
  ]);
}

const drawSquare = async (svg: Uint8Array, size: number): Promise<Buffer> =>
  sharp(svg, { density: (72 * size) / 512 })
    .resize(size, size)
    .png({ compressionLevel: 9 })
    .toBuffer();

/** ICO: a directory of 16 bytes an entry, then the PNG files; a side of 256 is written as 0. */
function windowsIcon(pictures: readonly (readonly [size: number, png: Buffer])[]): Buffer {
  const head = Buffer.alloc(6 + 16 * pictures.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let offset = head.length;
  pictures.forEach(([size, png], i) => {
    const at = 6 + 16 * i;
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([head, ...pictures.map(([, png]) => png)]);
}

/** Names of the entries of ICNS that hold PNG files, with the pixels of each. */
const macEntries = [
  ['ic11', 32],
  ['ic12', 64],
  ['ic07', 128],
  ['ic08', 256],
  ['ic13', 256],
  ['ic09', 512],
  ['ic14', 512],
  ['ic10', 1024],
] as const;

function macIcon(pictures: ReadonlyMap<number, Buffer>): Buffer {
  const entries = macEntries.flatMap(([name, size]) => {
    const png = pictures.get(size);
    return png ? [chunk(name, png)] : [];
  });
  return chunk('icns', Buffer.concat(entries));
}

/** Four letters, the length of all of it, the content. */
function chunk(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32BE(head.length + content.length, 4);
  return Buffer.concat([head, content]);
}
