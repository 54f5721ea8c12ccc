const waiting: (() => void)[] = [];
let isPlanned = false;

/**
 * Does `work` in a frame of its own, after all that was asked for before it: a page of ten charts is ten short tasks, between
 * which the window answers, and not one long one. Returns what takes it back.
 */
export function inTurn(work: () => void): () => void {
  waiting.push(work);
  plan();
  return () => {
    const at = waiting.indexOf(work);
    if (at >= 0) waiting.splice(at, 1);
  };
}

function plan(): void {
  if (isPlanned || waiting.length === 0) return;
  isPlanned = true;
  requestAnimationFrame(() => {
    // After the frame has been painted, so that none waits for it.
    setTimeout(() => {
      isPlanned = false;
      const work = waiting.shift();
      plan();
      work?.();
    });
  });
}
