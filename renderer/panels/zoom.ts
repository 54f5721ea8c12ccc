/** Enlargements of a picture: whole multiples, so that each of its pixels stays a square. */
export const zooms: readonly number[] = [1, 2, 4, 8, 16];

/** The largest one at which the whole width is seen. */
export function usualZoom(width: number, windowWidth: number): number {
  return zooms.findLast((zoom) => width * zoom <= 0.75 * windowWidth) ?? 1;
}

/** One up or down, as far as there is one. */
export function nextZoom(zoom: number, by: 1 | -1): number {
  return zooms[zooms.indexOf(zoom) + by] ?? zoom;
}
