/** Values by key; of those that were put there longest ago, no more than `most` are kept. */
export interface Recent {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

export function keepRecent(most: number): Recent {
  const kept = new Map<string, unknown>();
  return {
    get: (key) => kept.get(key),
    set(key, value) {
      kept.delete(key);
      kept.set(key, value);
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    },
  };
}
