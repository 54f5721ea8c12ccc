export interface Command {
  readonly id: string;
  readonly title: string;
  /** Said behind the title: page, run, new run, setting. */
  readonly kind: string;
  act(): void;
}

/** Those in which every word of `text` occurs, titles that begin with it first, else in the order given. */
export function rank<T extends Pick<Command, 'title' | 'kind'>>(commands: readonly T[], text: string): readonly T[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return commands;
  return commands
    .flatMap((command) => {
      const title = command.title.toLowerCase();
      const haystack = `${title} ${command.kind}`;
      if (!words.every((word) => haystack.includes(word))) return [];
      const score = words.reduce(
        (sum, word) => sum + (title.startsWith(word) ? 0 : wordStarts(title, word) ? 1 : 2),
        0,
      );
      return [{ command, score }];
    })
    .toSorted((a, b) => a.score - b.score)
    .map(({ command }) => command);
}

function wordStarts(title: string, word: string): boolean {
  return title.split(/[\s·-]+/).some((part) => part.startsWith(word));
}
