/** Stands in for the loading process: does to itself, by the path that it is asked for, what a bad file might do. */
const held: Uint8Array[] = [];

const deeds: Readonly<Record<string, () => void>> = {
  spins: () => {
    for (;;) held.length = 0;
  },
  sleeps: () => void setInterval(() => undefined, 1000),
  grows: () => {
    for (;;) held.push(new Uint8Array(16 * 2 ** 20).fill(1));
  },
  reserves: () => {
    for (;;) held.push(new Uint8Array(2 ** 32));
  },
  aborts: () => process.abort(),
  leaves: () => process.exit(3),
  kills: () => void process.kill(process.pid, 'SIGSEGV'),
  answers: () =>
    void process.send?.({
      ok: true,
      report: { inputs: [], outputs: [], isClassifier: false, notRun: undefined, hasExternalData: false },
    }),
};

process.on('message', ({ path }: { readonly path: string }) => {
  try {
    deeds[path]?.();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.send?.({ ok: false, error: { code: 'INTERNAL', message } });
  }
});
process.on('disconnect', () => process.exit(0));
