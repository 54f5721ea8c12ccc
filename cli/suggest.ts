/** Restricted edit distance: insertions, deletions, replacements and swaps of neighbours cost 1. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const replace = (last[j - 1] ?? 0) + (isSame ? 0 : 1);
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The names most like `word`, best first; empty when none is close enough to be what was meant. */
export function closest(word: string, names: readonly string[], most = 2): readonly string[] {
  const text = word.toLowerCase();
  const allowed = Math.max(1, Math.floor(text.length / 3));
  return names
    .map((name) => {
      const isPart = text.length >= 3 && name.toLowerCase().split('-').includes(text);
      return { name, cost: isPart ? 1 : distance(text, name.toLowerCase()) };
    })
    .filter(({ cost }) => cost <= allowed)
    .sort((a, b) => a.cost - b.cost)
    .slice(0, most)
    .map(({ name }) => name);
}

/** "Did you mean --steps?" or undefined. */
export function didYouMean(word: string, names: readonly string[], prefix = ''): string | undefined {
  const found = closest(word, names).map((name) => prefix + name);
  return found.length === 0 ? undefined : `Did you mean ${found.join(' or ')}?`;
}
