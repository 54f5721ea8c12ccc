import assert from 'node:assert/strict';
import type { DataRef, ModelRef } from '../../../contract/run.ts';
import { tinyShapesSet } from '../../../data/synthetic.ts';
import { AuditData } from '../../../report/audit.ts';
import { storeModel, tinyNet, tinyShape, trainedOnShapes } from '../../../train/testing/tiny-teacher.ts';
import type { RunContext } from '../../context.ts';
import type { ParamsOf } from '../../define.ts';
import { artifactBytes, drive, plainContext, storeSet, type Driven, type DriveOptions } from '../../testing/drive.ts';
import { run } from '../run.ts';
import { spec } from '../spec.ts';

export type Params = ParamsOf<typeof spec>;

export interface Given {
  readonly params?: Partial<Params>;
  readonly models?: Record<string, ModelRef>;
  readonly data?: Record<string, DataRef>;
  readonly context?: Partial<RunContext<Params>>;
}

/** What the audits of the tests attack unless they are given something else. */
export const brief = {
  count: 48,
  pick: 'first',
  epsilons: [0.05, 0.15],
  attacks: ['fgsm', 'pgd', 'deepfool'],
  attackOptions: { pgd: { steps: 6, stepSize: 0.03 }, deepfool: { steps: 8 } },
  lanes: 1,
  seed: 3,
} as const satisfies object;

/** Audits of a small trained model on images of its kind, kept in `dir`. */
export async function openAudits(dir: string): Promise<(given?: Given, options?: DriveOptions) => Promise<Driven>> {
  const trained = await trainedOnShapes(tinyNet({ hasNorm: true }), 100);
  const victim: ModelRef = { kind: 'file', path: storeModel(dir, 'victim.onnx', trained) };
  const images = await storeSet(dir, 'images', tinyShapesSet(2, 120, tinyShape));
  return ({ params, models, data, context } = {}, options = {}) => {
    const given: Omit<RunContext<Params>, 'signal'> = {
      ...plainContext(),
      params: spec.params.parse({ ...brief, ...params }),
      models: { victim, ...models },
      data: data ?? { images },
      ...context,
    };
    return drive(run, given, options);
  };
}

export const json = (driven: Driven, name: string): unknown => JSON.parse(artifactBytes(driven, name).toString());
export const auditOf = (driven: Driven): AuditData => AuditData.parse(json(driven, 'audit'));
export const warnings = (driven: Driven): string => driven.logs.filter((line) => line.startsWith('warning')).join('\n');

/** For `assert.rejects`: code, message and, where given, the hint. */
export const isFailure =
  (code: string, message: RegExp, hint?: RegExp) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof Error && 'code' in thrown);
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    if (hint) assert.match('hint' in thrown ? String(thrown.hint) : '', hint);
    return true;
  };
