import type { JobLauncher } from '../jobs/launch.ts';
import type { RunQueue } from '../jobs/queue.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { Workspace } from '../store/workspace.ts';
import type { Library } from './library.ts';
import type { Links } from './links.ts';
import type { Looks } from './looks.ts';
import type { SettingsFile } from './settings.ts';
import type { Uploads } from './uploads.ts';

export interface ServiceOptions {
  /** Open for writing; `close` of the service closes it. */
  readonly workspace: Workspace;
  readonly specs: readonly MethodSpec[];
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  /** Folder that paths in command lines are relative to. */
  readonly cwd: string;
  /** How a job process is started; forked when absent. */
  readonly launch?: JobLauncher;
  /** Address with a fresh token for a further window; absent where windows have no addresses. */
  readonly invite?: () => string;
  /** Lets the user choose another workspace and says whether it was changed; absent where the command line names it. */
  readonly changeWorkspace?: () => Promise<boolean>;
  /** Prints the page at a relative URL to PDF; absent where only a browser can. */
  readonly printPdf?: (url: string) => Promise<Uint8Array>;
}

/** What handlers work with. */
export interface Inside {
  readonly options: ServiceOptions;
  readonly workspace: Workspace;
  readonly queue: RunQueue;
  readonly library: Library;
  readonly uploads: Uploads;
  readonly links: Links;
  readonly settings: SettingsFile;
  readonly looks: Looks;
  /** Tells the windows that rows have changed. */
  tellRows(runIds: readonly string[]): void;
  tellRemoved(runIds: readonly string[]): void;
  tellLibrary(what: 'models' | 'data'): void;
}
