import type { LiveTable } from '../contract/live-table.ts';
import type { DataRef, DeviceName, MetricPoint, ModelRef, ResultMetrics } from '../contract/run.ts';
import type { Preflight } from '../contract/preflight.ts';
import type { Tensor } from '../base/tensor.ts';
import type { MethodSpec, ParamsOf } from './define.ts';

/**
 * What a method needs to go on where it stopped. `json` and `tensors` are replaced by each checkpoint; a key of `parts`
 * is written once and never changes (finished batches of impressions), so that a checkpoint costs what is new.
 */
export interface CheckpointState {
  readonly phase: string;
  readonly step: number;
  readonly json: unknown;
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly parts?: Readonly<Record<string, Tensor>>;
}

export type ArtifactContent =
  | { readonly bytes: Uint8Array; readonly mediaType: string }
  | { readonly json: unknown }
  /** A finished file of the scratch folder, which the host takes away. */
  | { readonly file: string; readonly mediaType: string };

/** What a method says while it runs. The host adds run id, sequence number and time. */
export type MethodEvent =
  | {
      readonly type: 'progress';
      readonly phase: string;
      readonly step: number;
      readonly totalSteps: number;
      readonly fraction: number;
    }
  | ({ readonly type: 'metric' } & MetricPoint)
  | { readonly type: 'log'; readonly level: 'info' | 'warning'; readonly message: string }
  | {
      readonly type: 'artifact';
      readonly name: string;
      readonly title: string;
      readonly content: ArtifactContent;
      readonly meta?: Record<string, unknown>;
    }
  /** A table that fills from metrics named by `cellSeries`; said before them, and again after a resume. */
  | { readonly type: 'table'; readonly table: LiveTable }
  /** An offer, made at every safe point (between chunks): the host calls `capture` when a checkpoint is due. */
  | { readonly type: 'checkpoint'; readonly capture: () => CheckpointState };

export interface RunContext<Params> {
  readonly params: Params;
  /** role → reference, defaults filled in; a file has its SHA-256. */
  readonly models: Readonly<Record<string, ModelRef>>;
  readonly data: Readonly<Record<string, DataRef>>;
  /** Device in use: 'auto' is already resolved. */
  readonly device: Exclude<DeviceName, 'auto'>;
  readonly threads: number;
  /** Looked at between chunks. */
  readonly signal: AbortSignal;
  readonly resume: CheckpointState | undefined;
  /** Milliseconds, for chunk sizing only; never enters a result. */
  readonly now: () => number;
  /**
   * Path of a folder of this run alone, for what is too much for memory; it need not be there yet. What lies in it stays until
   * the run has ended, over resumes, too, but a power cut may take what was not synced.
   */
  readonly scratch: string;
}

/** What a look at models and data before a run has of it. */
export type AheadContext<Params> = Omit<RunContext<Params>, 'resume' | 'scratch'>;

/** Measures what can be expected of a run, in seconds, without starting it. */
export type LookAhead<Spec extends MethodSpec> = (ctx: AheadContext<ParamsOf<Spec>>) => Promise<Preflight>;

export type Run<Spec extends MethodSpec> = (
  ctx: RunContext<ParamsOf<Spec>>,
) => AsyncGenerator<MethodEvent, ResultMetrics, void>;
