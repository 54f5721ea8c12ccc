import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ModelRef } from '../../contract/run.ts';
import { storeModel, tinyNet, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import type { MethodEvent } from '../context.ts';
import { artifactBytes, temporaryFolder, type Driven } from '../testing/drive.ts';
import { openAudits, type Given } from './testing/audits.ts';

const dir = temporaryFolder({ after });
const ran = await openAudits(dir);
const other = async (name: string, seed: number): Promise<ModelRef> => ({
  kind: 'file',
  path: storeModel(dir, name, await trainedOnShapes(tinyNet({ seed }), 60)),
});

/** An audit with everything that an audit can have. */
const given: Given = {
  models: { compared: await other('compared.onnx', 5), source: await other('source.onnx', 6) },
  params: {
    count: 16,
    epsilons: [0.15],
    attacks: ['noise', 'fgsm', 'transfer', 'deepfool', 'pgd', 'square'],
    attackOptions: { pgd: { steps: 6 }, deepfool: { steps: 4 }, square: { queries: 12 }, transfer: { steps: 4 } },
    universal: ['uap', 'gd-uap', 'impressions', 'noise'],
    universalSteps: 20,
    universalImages: 12,
    corruptions: true,
    severityBounds: true,
    stepCounts: [2],
    temperatureScaling: true,
  },
};

const phaseOf = (event: MethodEvent): string | undefined => (event.type === 'progress' ? event.phase : undefined);

const steps = new Map<string, number>();
const driven = await ran(given, {
  onEvent(event) {
    const phase = phaseOf(event);
    if (phase !== undefined) steps.set(phase, (steps.get(phase) ?? 0) + 1);
  },
});
const straight = { driven, steps, phases: [...steps.keys()] };

/** Attacks on a group that the last checkpoint held. */
const partsOf = ({ checkpoint }: Driven): number =>
  Object.keys(checkpoint?.parts ?? {}).filter((name) => name.endsWith('/records')).length;

describe('an audit that is cancelled', () => {
  it('has been through every phase that there is', () => {
    assert.deepEqual(straight.phases, [
      'answers without an attack',
      'attacks',
      'severity',
      ...(given.params?.universal ?? []).filter((kind) => kind !== 'noise').map((kind) => `universal: ${kind}`),
      'corruptions',
      'severity of the flips',
    ]);
  });

  const afterAttacks = straight.phases.indexOf('severity');
  for (const [place, phase] of straight.phases.entries()) {
    const wanted = Math.min(3, straight.steps.get(phase) ?? 0);
    it(`after step ${wanted} of "${phase}" loses nothing and goes on to the same files`, async () => {
      let [reached, late] = [0, 0];
      const stopped = await ran(given, {
        onEvent: (event) => void (late += Number(reached === wanted && event.type === 'progress')),
        abortAt: (event) => {
          if (phaseOf(event) === phase) reached++;
          return reached === wanted;
        },
      }).catch((thrown: unknown) => {
        // Before there is anything to keep.
        assert.ok(thrown instanceof Error && thrown.name === 'AbortError' && place === 0, String(thrown));
      });
      assert.equal(late, 0, 'steps after the cancel');
      if (!stopped) return;
      assert.ok(stopped.checkpoint);
      // All attacks are done, on both models, and PGD towards classes and with other steps has begun at most.
      if (place >= afterAttacks) assert.ok(partsOf(stopped) >= 2 * 6);
      const resumed = await ran({ ...given, context: { resume: stopped.checkpoint } });
      assert.deepEqual(resumed.metrics, straight.driven.metrics);
      assert.deepEqual([...resumed.artifacts.keys()].sort(), [...straight.driven.artifacts.keys()].sort());
      for (const name of straight.driven.artifacts.keys())
        assert.deepEqual(artifactBytes(resumed, name), artifactBytes(straight.driven, name), name);
    });
  }

  it('makes again what has gone from the disk with its images', async () => {
    const stopped = await ran(given, { stopAt: (_, phase) => phase === 'severity' });
    assert.ok(stopped.checkpoint);
    const begun: string[] = [];
    const resumed = await ran(
      { ...given, context: { resume: stopped.checkpoint, scratch: join(dir, 'emptied') } },
      { onEvent: (event) => void begun.push(phaseOf(event) ?? '') },
    );
    assert.ok(begun.filter((phase) => phase === 'attacks').length > 1);
    for (const name of ['records', 'adversarial.npz', 'gallery'])
      assert.deepEqual(artifactBytes(resumed, name), artifactBytes(straight.driven, name), name);
  });
});
