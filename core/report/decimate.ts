export type Point = readonly [number, number];

/** More than a screen has columns; a page with ten such charts still opens at once. */
export const maxPoints = 2000;

/**
 * At most `limit` points that look like all of them: the x range is cut into buckets of equally many points and each
 * keeps its lowest and highest, so that no spike is lost; first and last stay. Points that are not finite fall out.
 */
export function decimate(points: readonly Point[], limit: number = maxPoints): readonly Point[] {
  const finite = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  if (finite.length <= limit) return finite;
  const inner = finite.slice(1, -1);
  const buckets = Math.max(1, Math.floor((limit - 2) / 2));
  const kept: Point[] = finite.slice(0, 1);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = Math.floor((bucket * inner.length) / buckets);
    const end = Math.floor(((bucket + 1) * inner.length) / buckets);
    kept.push(...extremes(inner.slice(start, end)));
  }
  return kept.concat(finite.slice(-1));
}

/** Lowest and highest point in the order in which they stand; one point when they are the same. */
function extremes(points: readonly Point[]): readonly Point[] {
  let low = 0;
  let high = 0;
  points.forEach(([, y], i) => {
    if (y < (points[low]?.[1] ?? y)) low = i;
    if (y > (points[high]?.[1] ?? y)) high = i;
  });
  const order = low === high ? [low] : low < high ? [low, high] : [high, low];
  return order.flatMap((i) => points.slice(i, i + 1));
}
