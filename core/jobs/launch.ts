import { startChild, type Child } from '../runtime/child-process.ts';

/** The parent's end of a running job. */
export type JobProcess = Child;

export type JobLauncher = () => JobProcess;

export const launchJob: JobLauncher = () => startChild(new URL('./job-process.ts', import.meta.url));
