import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ensemble } from '../../attacks/ensembles.ts';
import { prepareAttack } from '../../attacks/registry.ts';
import type { ModelRef } from '../../contract/run.ts';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { AuditData } from '../../report/audit.ts';
import { sampleFacts } from '../../report/fixture/sample.ts';
import { renderReport } from '../../report/html.ts';
import { storeModel, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import {
  artifactBytes,
  drive,
  plainContext,
  storeSet,
  temporaryFolder,
  type Driven,
  type DriveOptions,
} from '../testing/drive.ts';
import { report } from './report.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

const dir = temporaryFolder({ after });
const trained = async (name: string, net: Parameters<typeof tinyNet>[0], steps: number) =>
  ({
    kind: 'file',
    path: storeModel(dir, name, await trainedOnShapes(tinyNet(net), steps)),
  }) as const satisfies ModelRef;
const victim = await trained('victim.onnx', { hasNorm: true }, 100);
const images = await storeSet(dir, 'images', tinyShapesSet(2, 120, tinyShape));
const brief: Partial<Params> = {
  count: 48,
  pick: 'first',
  epsilons: [0.05, 0.15],
  attackOptions: {},
  severity: false,
  lanes: 1,
  seed: 3,
};

interface Given {
  readonly params: Partial<Params>;
  readonly models?: Readonly<Record<string, ModelRef>>;
  readonly resume?: RunContext<Params>['resume'];
}

const ran = ({ params, models, resume }: Given, options: DriveOptions = {}): Promise<Driven> => {
  const context = {
    ...plainContext(),
    params: spec.params.parse({ ...brief, ...params }),
    models: { victim, ...models },
    data: { images },
    ...(resume ? { resume } : {}),
  };
  return drive(run, context, options);
};
const records = (driven: Driven): string => artifactBytes(driven, 'records').toString();
/** Cells of a column of the records. */
function cells(driven: Driven, name: string): string[] {
  const [head = [], ...rows] = records(driven)
    .trim()
    .split('\r\n')
    .map((line) => line.split(','));
  assert.ok(head.includes(name));
  return rows.map((row) => row[head.indexOf(name)] ?? '');
}
const isRefused =
  (message: RegExp) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof Error && 'code' in thrown);
    assert.equal(thrown.code, 'PARAM_INVALID', thrown.message);
    assert.match(thrown.message, message);
    return true;
  };

const reportOf = (driven: Driven, params: Partial<Params>): ReturnType<typeof report> =>
  report({
    params: { ...brief, ...params },
    metrics: driven.metrics ?? {},
    series: {},
    artifactNames: [...driven.artifacts.keys()],
    json: (name) => (driven.artifacts.has(name) ? JSON.parse(artifactBytes(driven, name).toString()) : undefined),
    image: () => undefined,
  });

describe('an audit whose images come from other models', () => {
  it('makes them on each by itself or on all as one, and needs one', async () => {
    const source = await trained('source-2.onnx', { seed: 2 }, 60);
    const source2 = await trained('source-3.onnx', { seed: 3 }, 60);
    const attacked = (models: Record<string, ModelRef>, fusion: Params['fusion']): Promise<Driven> =>
      ran({ models, params: { attacks: ['transfer'], epsilons: [0.15], fusion } });
    const one = await attacked({ source }, 'logits');
    const each = await attacked({ source, source2 }, 'each');
    const logits = await attacked({ source, source2 }, 'logits');
    const table = AuditData.parse(JSON.parse(artifactBytes(one, 'audit').toString())).models[0]?.rows[0]?.transfer;
    const flags = cells(one, 'flags').filter((flag) => flag.includes('fools-source')).length;
    assert.ok(table && table.source === flags && table.both <= table.source && table.source > 24);
    assert.match(renderReport(reportOf(one, {}), sampleFacts), /What transfers.*Transfer rate/s);
    const fooled = (driven: Driven): string[] => {
      const verdicts = cells(driven, 'verdict');
      return cells(driven, 'image').filter((_, i) => verdicts[i] === 'fooled');
    };
    assert.ok(fooled(each).length > 0);
    assert.ok(fooled(one).every((image) => fooled(each).includes(image)));
    assert.notEqual(records(logits), records(one));
    assert.notEqual(records(logits), records(each));
    assert.equal(fooled(await attacked({ source2 }, 'logits')).length > 0, true);
    await assert.rejects(
      attacked({}, 'logits'),
      isRefused(/Transfer from other models is left out: it needs a source model/),
    );
  });
});

describe('an audit of a model behind a random defence', () => {
  const params: Partial<Params> = {
    count: 12,
    epsilons: [0.2],
    attacks: ['pgd', 'apgd-ce'],
    attackOptions: { pgd: { steps: 5, stepSize: 0.05 }, 'apgd-ce': { steps: 5 } },
    defence: 'noise',
    defenceSize: 0.1,
    looks: 4,
  };

  it('averages over looks, says how many, and goes on to the same bits', async () => {
    const defended = await ran({ params });
    assert.deepEqual([...new Set(cells(defended, 'gradient_calls'))].sort(), ['20', '24']);
    assert.ok(cells(defended, 'verdict').includes('fooled'));
    const document = reportOf(defended, params);
    const page = renderReport(document, sampleFacts);
    assert.match(page, /normal noise of deviation 0\.1, drawn anew at each look.*over 4 draws/s);
    const stopped = await ran({ params }, { stopAt: (offer) => offer === 1 });
    assert.ok(stopped.checkpoint);
    assert.equal(records(await ran({ params, resume: stopped.checkpoint })), records(defended));
  });

  it('is refused with a size that makes no sense', async () => {
    await assert.rejects(
      ran({ params: { ...params, defence: 'resize', defenceSize: 1.5 } }),
      isRefused(/smallest size of at most 1, got 1\.5/),
    );
  });
});

describe('the recipes of AutoAttack', () => {
  for (const [recipe, name] of [
    ['autoattack', 'standard'],
    ['autoattack-plus', 'plus'],
    ['autoattack-rand', 'rand'],
  ] as const) {
    it(`run its ensemble ${name} in its order, on survivors`, () => {
      const params = spec.params.parse(spec.recipes[recipe]?.params);
      const published = ensemble(name, 'linf', 10, params.defence === 'none' ? 1 : params.looks);
      assert.deepEqual(published.reasons, []);
      assert.deepEqual(
        params.attacks.map((id) => [id, prepareAttack(id, params.attackOptions[id] ?? {}).options]),
        published.attacks.map(({ declaration, options }) => [declaration.id, options]),
      );
      assert.ok(params.survivorsOnly);
    });
  }
});

describe('an audit of survivors only', () => {
  it('looks for the smallest perturbation only of what still stands at the smallest epsilon', async () => {
    const params: Partial<Params> = { attacks: ['pgd', 'deepfool'], epsilons: [0.15, 0.2], survivorsOnly: true };
    const audit = AuditData.parse(JSON.parse(artifactBytes(await ran({ params }), 'audit').toString()));
    const rows = audit.models[0]?.rows ?? [];
    const [pgd] = rows.filter(({ attack }) => attack === 'pgd');
    const [deepfool] = rows.filter(({ attack }) => attack === 'deepfool');
    const standing = Math.round((pgd?.robustAccuracy ?? 0) * 48);
    assert.ok(standing < 40);
    assert.equal(deepfool?.attacked, standing);
  });

  it('goes on from any checkpoint to the same bits, with minimal attacks and with images from another model', async () => {
    const sparing: Given = {
      models: { source: await trained('source-4.onnx', { seed: 4 }, 60) },
      params: { count: 12, survivorsOnly: true, attacks: ['transfer', 'fgsm', 'deepfool', 'pgd'] },
    };
    const straight = await ran(sparing);
    assert.match(records(straight), /fools-source/);
    for (let at = 0; at < straight.checkpointCount; at += Math.ceil(straight.checkpointCount / 4)) {
      const stopped = await ran(sparing, { stopAt: (offer) => offer === at });
      assert.ok(stopped.checkpoint);
      const resumed = await ran({ ...sparing, resume: stopped.checkpoint });
      for (const name of ['records', 'adversarial.npz', 'audit'])
        assert.deepEqual(artifactBytes(resumed, name), artifactBytes(straight, name), `${name} from ${at}`);
    }
  });
});
