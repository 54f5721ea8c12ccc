import { z } from 'zod';
import { ErrorData } from './run.ts';

/** What the machine can do, and what the workspace holds: the page "doctor" and the foot of the start page. */

const Device = z.enum(['cpu', 'cuda', 'webgpu']);

export const DeviceFacts = z.object({
  device: Device,
  available: z.boolean(),
  /** Why not, in onnxruntime's words. */
  reason: z.string().optional(),
  /** What to do where it is missing. */
  hint: z.string().optional(),
});
export type DeviceFacts = z.infer<typeof DeviceFacts>;

export const SpeedFacts = z.object({
  device: Device,
  threads: z.int(),
  /** 1e9 floating-point operations a second, a multiplication and an addition counted as two. */
  gflops: z.number(),
});
export type SpeedFacts = z.infer<typeof SpeedFacts>;

/** Known without measuring anything. */
export const MachineFacts = z.object({
  palimpsest: z.string(),
  node: z.string(),
  onnxruntime: z.string(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.int(),
  /** Threads inside one operator unless a run asks for others. */
  threads: z.int(),
  memory: z.object({ totalBytes: z.number(), freeBytes: z.number() }),
  workspace: z.object({
    dir: z.string(),
    runs: z.int(),
    /** null: the disk does not say. */
    freeBytes: z.number().nullable(),
  }),
  /** What was last measured here; null when it never was, or on another processor. */
  measured: z.object({ atMs: z.number(), devices: z.array(DeviceFacts), speed: z.array(SpeedFacts) }).nullable(),
});
export type MachineFacts = z.infer<typeof MachineFacts>;

/** The line of runs that wait for their turn. */
export const QueueFacts = z.object({
  /** Being computed now. */
  running: z.array(z.string()),
  /** Next first. */
  waiting: z.array(z.string()),
  /** Set after three crashes in five minutes: nothing starts until the user says so (`queue.continue`). */
  halted: z.object({ atMs: z.number(), error: ErrorData }).nullable(),
});
export type QueueFacts = z.infer<typeof QueueFacts>;
