import { z } from 'zod';
import { DeviceName } from './run.ts';

/** What the user prefers in this workspace; a run says its own where it differs. */
export const Settings = z.strictObject({
  /** Threads inside one operator; null: as many as cores. */
  threads: z.int().min(1).max(256).nullable().default(null),
  device: DeviceName.default('auto'),
  /** Folders of the host that choosing a file offers first. */
  places: z.array(z.string().min(1).max(4096)).max(50).default([]),
  /** A form that is complete and rests has its method look ahead by itself, while no run computes. */
  looksAhead: z.boolean().default(true),
});
export type Settings = z.infer<typeof Settings>;
