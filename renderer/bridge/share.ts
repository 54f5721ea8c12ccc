/**
 * `after`, with every part that equals its part in `before` taken from there: what has not changed keeps its identity, so
 * that nothing that shows it is drawn anew. For data as it comes out of JSON.
 */
export function share(before: unknown, after: unknown): unknown {
  if (Object.is(before, after)) return before;
  if (Array.isArray(before) && Array.isArray(after)) return sharedList(before, after);
  if (isRecord(before) && isRecord(after)) return sharedRecord(before, after);
  return after;
}

function sharedList(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  const merged = after.map((each, index) => share(before[index], each));
  return before.length === after.length && merged.every((each, index) => Object.is(each, before[index]))
    ? before
    : merged;
}

type Data = Readonly<Record<string, unknown>>;

function sharedRecord(before: Data, after: Data): Data {
  const names = Object.keys(after);
  const merged = Object.fromEntries(names.map((name) => [name, share(before[name], after[name])]));
  const isSame =
    Object.keys(before).length === names.length &&
    names.every((name) => name in before && Object.is(merged[name], before[name]));
  return isSame ? before : merged;
}

function isRecord(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
