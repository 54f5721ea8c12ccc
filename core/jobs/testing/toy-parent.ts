import { argv } from 'node:process';
import { invariant } from '../../base/errors.ts';
import { openWorkspace } from '../../store/workspace.ts';
import { startJob } from '../client.ts';
import { tickingClock, toyFork, toyOptions, toyRequest } from './toy-workspace.ts';

/** A parent that can be killed: makes a run in the workspace named by its argument and tells of every stored event. */
const [, , dir] = argv;
invariant(dir, 'toy-parent needs a folder');
const store = openWorkspace(dir, toyOptions());
const runId = store.createRun(toyRequest({ steps: 150, stepMs: 4 }));
const { pid } = startJob({
  store,
  runId,
  resume: false,
  now: tickingClock(),
  launch: toyFork,
  onEvent: (event) => process.send?.({ runId, jobPid: pid, type: event.type }),
});
