import sharp from 'sharp';
import { grouped, unreadable } from '../errors.ts';
import { reasonOf, readSmallFile } from '../files.ts';

/** Decoding of one picture with libvips. Every function names the file in its errors. */

const imageSuffix = /\.(?:png|jpe?g|webp|tiff?|gif)$/iu;
const formats: ReadonlySet<string> = new Set(['png', 'jpeg', 'webp', 'tiff', 'gif']);
const maxFileBytes = 256 * 2 ** 20;
const maxPixels = 2 ** 26;

export const isImageName = (name: string): boolean => imageSuffix.test(name);

export interface ImageFacts {
  readonly sha256: string;
  /** Upright, that is after the EXIF rotation. */
  readonly width: number;
  readonly height: number;
  readonly isGrey: boolean;
  /** 16 bits a channel. */
  readonly isDeep: boolean;
}

/** How the formats begin, in hex; '.' is any digit. libvips has readers of other formats, which no file may reach. */
const beginnings: readonly RegExp[] = [
  /^89504e470d0a1a0a/u,
  /^ffd8ff/u,
  /^47494638(37|39)61/u,
  /^52494646.{8}57454250/u,
  /^4949(2a|2b)00/u,
  /^4d4d00(2a|2b)/u,
];

function checkBeginning(path: string, bytes: Uint8Array): void {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  if (beginnings.some((beginning) => beginning.test(start))) return;
  throw unreadable(
    `Image ${path} cannot be read: expected PNG, JPEG, WebP, TIFF or GIF, got something that begins with ${start}`,
    'Remove the file, or save it again as PNG.',
  );
}

const open = (bytes: Uint8Array) => sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', ignoreIcc: true });

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw unreadable(
      `Image ${path} cannot be read: expected PNG, JPEG, WebP, TIFF or GIF of at most ${grouped(maxPixels)} pixels, got "${reasonOf(cause)}"`,
      'Remove the file, or save it again as PNG.',
      cause,
    );
  }
}

export async function probeImage(path: string): Promise<ImageFacts> {
  const { bytes, sha256 } = await readSmallFile(path, maxFileBytes);
  checkBeginning(path, bytes);
  const facts = await guarded(path, () => open(bytes).metadata());
  if (!formats.has(facts.format) || facts.width * facts.height > maxPixels) {
    throw unreadable(
      `Image ${path}: expected PNG, JPEG, WebP, TIFF or GIF of at most ${grouped(maxPixels)} pixels, got ${facts.format} of ${facts.width} × ${facts.height}`,
      'Remove the file, or save it again as a smaller PNG.',
    );
  }
  const isGrey = facts.space === 'b-w' || facts.space === 'grey16';
  return { sha256, ...facts.autoOrient, isGrey, isDeep: facts.depth === 'ushort' };
}

export interface DecodeTarget {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  /** 16-bit samples, little-endian; else 8-bit. */
  readonly isDeep: boolean;
}

/** Upright pixels [height, width, channels], alpha over black, colour profiles ignored, resized when the size differs. */
export async function decodeImage(path: string, target: DecodeTarget): Promise<Uint8Array> {
  const { bytes } = await readSmallFile(path, maxFileBytes);
  checkBeginning(path, bytes);
  const { channels, height, width, isDeep } = target;
  const space = channels === 1 ? (isDeep ? 'grey16' : 'b-w') : isDeep ? 'rgb16' : 'srgb';
  const { data, info } = await guarded(path, () =>
    open(bytes)
      .autoOrient()
      .flatten({ background: '#000' })
      .resize(width, height, { fit: 'fill', kernel: 'linear' })
      .toColourspace(space)
      .raw({ depth: isDeep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  );
  if (info.width !== width || info.height !== height || info.channels !== channels) {
    throw unreadable(
      `Image ${path} changed while it was read: expected ${width} × ${height} × ${channels}, got ${info.width} × ${info.height} × ${info.channels}`,
      'Leave data files unchanged while a run uses them.',
    );
  }
  return data;
}
