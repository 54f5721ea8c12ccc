/**
 * Makes this process live on when Ctrl-C is pressed or the terminal closes. Both reach a whole process group; what the
 * group does then is for the process to say that it was started by. Call it before anything that takes time to load.
 */
export function outliveTerminal(): void {
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
}
