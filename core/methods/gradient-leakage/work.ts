import { z } from 'zod';
import type { Tensor } from '../../base/tensor.ts';
import type { Defence } from '../../leakage/defence.ts';
import type { Victim } from '../../leakage/victim.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import type { CheckpointState, MethodEvent } from '../context.ts';
import { packState, unpackState, type UnitDone, type UnitState, type UnitWork } from './attack-unit.ts';
import type { Context, Inputs } from './inputs.ts';
import { LabelTableData, UnitResultData, type LabelTableData as LabelTable } from './report-data.ts';
import type { OwnWeights } from './sharing.ts';
import type { TrainingState } from './training.ts';

/** Everything that the phases share. */
export interface Work {
  readonly ctx: Context;
  readonly inputs: Inputs;
  /** The network of the first run. */
  readonly victim: Victim;
  readonly defences: readonly Defence[];
  readonly unitWork: UnitWork;
  /** For what runs one thing at a time. */
  readonly session: SessionOptions;
  /** One for each lane. */
  readonly lanes: readonly SessionOptions[];
  readonly state: RunState;
}

/** Where a run stands: exactly what a checkpoint holds. */
export interface RunState {
  isPreflightSaid: boolean;
  /** By name: 'before', and the trade-off's defences by number. */
  readonly trained: Map<string, TrainingState>;
  readonly labelRows: LabelTable['rows'];
  readonly open: Map<string, UnitState>;
  readonly done: Map<string, UnitDone>;
}

const numbers = z.record(z.string(), z.number().nullable());
const Stored = z.object({
  isPreflightSaid: z.boolean(),
  trained: z.array(z.object({ name: z.string(), step: z.int(), loss: z.number().nullable() })),
  labelRows: LabelTableData.shape.rows,
  open: z.array(
    z.object({
      id: z.string(),
      restarts: z.array(numbers),
      frames: z.array(z.object({ step: z.int(), distance: z.number().nullable() })),
    }),
  ),
  done: z.array(UnitResultData),
});

function freshState(): RunState {
  return { isPreflightSaid: false, trained: new Map(), labelRows: [], open: new Map(), done: new Map() };
}

export function checkpoint({ state }: Pick<Work, 'state'>, phase: string): CheckpointState {
  const tensors: Record<string, Tensor> = {};
  const parts: Record<string, Tensor> = {};
  for (const [name, { weights }] of state.trained) {
    for (const [key, value] of Object.entries(weights)) tensors[`trained/${name}/${key}`] = value;
  }
  const open = [...state.open].map(([id, unit]) => {
    const packed = packState(unit);
    for (const [key, value] of Object.entries(packed.tensors)) tensors[`open/${id}/${key}`] = value;
    return { id, ...packed.json };
  });
  for (const [id, { frames }] of state.done) parts[`done/${id}`] = frames;
  const json = {
    isPreflightSaid: state.isPreflightSaid,
    trained: [...state.trained].map(([name, { step, loss }]) => ({
      name,
      step,
      loss: Number.isFinite(loss) ? loss : null,
    })),
    labelRows: [...state.labelRows],
    open: open.map((unit) => ({ ...unit, restarts: [...unit.restarts], frames: [...unit.frames] })),
    done: [...state.done.values()].map(({ result }) => result),
  } satisfies z.infer<typeof Stored>;
  return { phase, step: state.done.size, json, tensors, parts };
}

export function restoredState(resume: CheckpointState | undefined): RunState {
  if (!resume) return freshState();
  const stored = Stored.parse(resume.json);
  const below = (prefix: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(resume.tensors).flatMap(([key, value]) =>
        key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
      ),
    );
  return {
    isPreflightSaid: stored.isPreflightSaid,
    trained: new Map(
      stored.trained.map(({ name, step, loss }) => [
        name,
        { step, loss: loss ?? Number.NaN, weights: floatsIn(below(`trained/${name}/`)) },
      ]),
    ),
    labelRows: stored.labelRows,
    open: new Map(stored.open.map(({ id, ...packed }) => [id, unpackState(packed, below(`open/${id}/`))])),
    done: new Map(
      stored.done.flatMap((result) => {
        const frames = floatsIn({ frames: resume.parts?.[`done/${result.id}`] })['frames'];
        return frames ? [[result.id, { result, frames }] as const] : [];
      }),
    ),
  };
}

const floatsIn = (tensors: Readonly<Record<string, Tensor | undefined>>): OwnWeights =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, value]) =>
      value?.data instanceof Float32Array ? [[name, { ...value, dtype: 'float32', data: value.data }] as const] : [],
    ),
  );

export const said = (message: string): MethodEvent => ({ type: 'log', level: 'info', message });
