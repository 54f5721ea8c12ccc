import { textWidth } from './axes.ts';
import { filmMarkup } from './film.ts';
import type { ImageBlock } from './document.ts';
import { markup, type Markup } from './markup.ts';

const embeddable = /^data:image\/(?:png|jpeg|webp|gif|avif);base64,[A-Za-z0-9+/]+={0,2}$/;

/** Widest drawing of an image, in CSS pixels: the text column. */
const fullWidth = 820;
const halfWidth = 394;
const maxLabelWidth = 110;
/** Room kept for what is said of each row. */
const notesWidth = 330;

/** An embedded picture with the names of its rows and columns beside it; anything but embedded data is refused. */
export function imageMarkup(block: ImageBlock, id = 'image'): Markup {
  if (!embeddable.test(block.source)) {
    return markup`<p class="absent">This picture is not embedded in the report and is left out.</p>`;
  }
  const rows = block.rowLabels ?? [];
  const columns = block.columnLabels ?? [];
  const notes = block.rowNotes ?? [];
  const size = pngSize(block.source);
  const taken = (rows.length > 0 ? labelWidth(rows) : 0) + (notes.length > 0 ? notesWidth : 0);
  const room = (block.size === 'half' ? halfWidth : fullWidth) - taken;
  const scale = size === undefined ? undefined : scaleFor(size.width, room, block.pixelated === true);
  if (block.film && size && scale !== undefined && rows.length > 1) {
    return filmMarkup(block, { id, size, scale, rows, gap: block.film.gap });
  }
  const dimensions =
    size !== undefined &&
    scale !== undefined &&
    markup` width="${Math.round(size.width * scale)}" height="${Math.round(size.height * scale)}"`;
  const picture = markup`<img class="${block.pixelated === true ? 'pixelated' : ''}" src="${block.source}" alt="${block.alt}"${dimensions}>`;
  // Names stand over their columns, however long they are.
  const width = size && scale !== undefined && markup` style="width: ${Math.round(size.width * scale)}px"`;
  if (rows.length + columns.length + notes.length === 0) return markup`<div class="picture">${picture}</div>`;
  return markup`<div class="picture labelled">${
    columns.length > 0 &&
    markup`<div class="column-labels" aria-hidden="true"${width}>${columns.map((label) => markup`<span>${label}</span>`)}</div>`
  }${
    rows.length > 0 &&
    markup`<div class="row-labels" aria-hidden="true">${rows.map((label) => markup`<span>${label}</span>`)}</div>`
  }${picture}${
    notes.length > 0 &&
    markup`<ol class="row-notes">${notes.map((text) => markup`<li>${text.split('\n').map((line) => markup`<span>${line}</span>`)}</li>`)}</ol>`
  }</div>`;
}

/** With the space between names and picture. */
function labelWidth(labels: readonly string[]): number {
  return Math.min(maxLabelWidth, Math.max(...labels.map((label) => textWidth(label)))) + 12;
}

/** Pixels become whole blocks where the room allows it; photographs are never blown up. */
function scaleFor(width: number, room: number, isPixelated: boolean): number {
  if (!isPixelated) return Math.min(1, room / width);
  return width > room ? room / width : Math.min(8, Math.floor(room / width));
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Width and height from the header of a PNG data URI; undefined for other formats or a damaged header. */
export function pngSize(source: string): { readonly width: number; readonly height: number } | undefined {
  const prefix = 'data:image/png;base64,';
  // The header's 24 bytes are 32 characters: signature, chunk head, then both sizes as big-endian 32-bit numbers.
  const header = source.slice(prefix.length, prefix.length + 32);
  if (!source.startsWith(prefix) || header.length < 32) return undefined;
  const bits = [...header].map((character) => alphabet.indexOf(character).toString(2).padStart(6, '0')).join('');
  const width = Number.parseInt(bits.slice(128, 160), 2);
  const height = Number.parseInt(bits.slice(160, 192), 2);
  return width > 0 && height > 0 ? { width, height } : undefined;
}
