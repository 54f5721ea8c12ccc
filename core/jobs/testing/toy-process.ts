import { outliveTerminal } from '../../runtime/terminal-signals.ts';
import { runJobProcess } from '../process-port.ts';
import { toyInputs, toyRegistry } from './toy-method.ts';

outliveTerminal();

/** A job process as the real one, with the toy method and a checkpoint at every offer. */
await runJobProcess({ registry: toyRegistry, inputs: toyInputs, checkpointEveryMs: 0 });
