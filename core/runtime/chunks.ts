/** Chooses how many steps the next chunk runs, so that progress, cancel and checkpoints come about every half second. */
export interface Chunker {
  /** Steps for the next chunk, at most `remaining`. */
  next(remaining: number): number;
  /** Tells how long the last chunk took. */
  done(steps: number, milliseconds: number): void;
}

export function createChunker({
  targetMs = 500,
  first = 1,
  most = 512,
}: { targetMs?: number; first?: number; most?: number } = {}): Chunker {
  let size = first;
  return {
    next: (remaining) => Math.max(1, Math.min(size, remaining)),
    done(steps, milliseconds) {
      const perStep = Math.max(milliseconds / steps, 0.01);
      const ideal = targetMs / perStep;
      // Grow by at most four at a time: the first steps include allocation and are not typical.
      size = Math.max(1, Math.min(most, Math.floor(Math.min(ideal, size * 4))));
    },
  };
}
