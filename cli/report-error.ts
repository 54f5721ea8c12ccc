import { toWorkbenchError, type ErrorShape } from '../core/base/errors.ts';
import { paint, type Terminal } from './terminal.ts';

/** `error: message [CODE]` and `hint: …` on standard error. */
export function noteError(terminal: Terminal, error: ErrorShape): void {
  terminal.note(`${paint(terminal, 'red', 'error:')} ${error.message} [${error.code}]\n`);
  if (error.hint !== undefined) terminal.note(`${paint(terminal, 'bold', 'hint:')} ${error.hint}\n`);
}

/** Anything thrown, as people read it; its stack only where they asked for it. */
export function noteThrown(terminal: Terminal, thrown: unknown, { debug }: { debug: boolean }): ErrorShape {
  const error = toWorkbenchError(thrown);
  noteError(terminal, error.toShape());
  if (debug) {
    for (let each: unknown = error; each instanceof Error; each = each.cause) terminal.note(`${each.stack ?? ''}\n`);
  }
  return error.toShape();
}
