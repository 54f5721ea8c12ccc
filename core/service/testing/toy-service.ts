import { toyRegistry } from '../../jobs/testing/toy-method.ts';
import { tickingClock, toyInProcess, toyOptions } from '../../jobs/testing/toy-workspace.ts';
import { openWorkspace } from '../../store/workspace.ts';
import type { ServiceOptions } from '../inside.ts';
import { openService, type Service } from '../service.ts';

/** The host with toy methods, in this process, on a workspace in `dir`. */
export function openToyService(dir: string, extra: Pick<ServiceOptions, 'invite' | 'printPdf'> = {}): Service {
  return openService({
    workspace: openWorkspace(dir, toyOptions()),
    specs: Object.values(toyRegistry).map(({ spec }) => spec),
    now: tickingClock(),
    elapsed: tickingClock(0),
    cwd: dir,
    launch: toyInProcess(),
    ...extra,
  });
}
