import type { ImageBlock } from './document.ts';
import { markup, type Markup } from './markup.ts';

export interface FilmParts {
  /** Unique in the page. */
  readonly id: string;
  /** Of the whole grid, in its own pixels. */
  readonly size: { readonly width: number; readonly height: number };
  /** CSS pixels for one of them. */
  readonly scale: number;
  readonly rows: readonly string[];
  readonly gap: number;
}

/** Pictures that the style sheet has rules for. */
export const mostPictures = 24;

/**
 * A grid seen two rows at a time, the first and a chosen one: radio buttons, one for each row, and rules of the style sheet
 * that show the picture of the one that is checked. No script; on paper the last one. The grid is in the page once.
 */
export function filmMarkup(block: ImageBlock, { id, size, scale, rows, gap }: FilmParts): Markup {
  const height = (size.height + gap) / rows.length;
  const shown = rows.slice(1, mostPictures + 1);
  const row = (index: number, y: number): Markup =>
    markup`<svg x="0" y="${y}" width="${size.width}" height="${height - gap}" viewBox="0 ${index * height} ${size.width} ${height - gap}"><use href="#${id}-grid"/></svg>`;
  const view = (label: string, index: number): Markup =>
    markup`<svg role="img" aria-label="${`${block.alt}, ${rows[0] ?? ''} and ${label}`}" width="${Math.round(size.width * scale)}" height="${Math.round((2 * height - gap) * scale)}" viewBox="0 0 ${size.width} ${2 * height - gap}">${row(0, 0)}${row(index, height)}</svg>`;
  const choice = (label: string, index: number): Markup =>
    markup`<input type="radio" name="${id}-film" id="${id}-film-${index}"${index === shown.length - 1 && markup` checked`}><label for="${id}-film-${index}">${label}</label>`;
  return markup`<div class="film"><svg class="film-grid" width="0" height="0" aria-hidden="true"><defs><image id="${id}-grid" href="${block.source}" width="${size.width}" height="${size.height}"/></defs></svg>${shown.map(choice)}<div class="film-views">${shown.map((label, index) => view(label, index + 1))}</div><p class="note">Above: ${rows[0] ?? ''}. Below: as chosen.</p></div>`;
}
