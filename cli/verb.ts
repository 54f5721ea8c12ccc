import type { MethodSpec } from '../core/methods/define.ts';
import type { JobLauncher } from '../core/jobs/launch.ts';
import type { Arguments } from './arguments.ts';
import type { HelpPage } from './help.ts';
import type { Terminal } from './terminal.ts';

/** Everything outside that a verb may look at; tests put in their own. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  /** Uniform in [0, 1); only makes run ids unique. */
  readonly random: () => number;
  readonly specs: readonly MethodSpec[];
  /** Starts a job process; a forked one when absent. */
  readonly launch?: JobLauncher;
  /** Calls `listener` at each Ctrl-C until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

export interface Verb {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  readonly help: HelpPage;
  /** Names of the arguments that have no flag. */
  readonly positionals: readonly string[];
  /** What `--json` prints beside the error when the verb fails. */
  readonly emptyResult?: Readonly<Record<string, unknown>>;
  /** Gives the exit code. */
  run(args: Arguments, here: Surroundings): Promise<number>;
}
