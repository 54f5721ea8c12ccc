/** Items on and off in a list whose order counts: what is switched on comes last. */
export const toggled = (items: readonly string[], item: string): readonly string[] =>
  items.includes(item) ? items.filter((each) => each !== item) : [...items, item];

/** The list with `item` so many places later, or earlier below 0; it stops at the ends. */
export function moved(items: readonly string[], item: string, by: number): readonly string[] {
  const from = items.indexOf(item);
  if (from < 0) return items;
  const others = items.filter((each) => each !== item);
  const to = Math.max(0, Math.min(others.length, from + by));
  return [...others.slice(0, to), item, ...others.slice(to)];
}
