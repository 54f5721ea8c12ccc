import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { corruptImages, corruptionKinds, rightUnderCorruption, type Severity } from './corruptions.ts';
import { openTeacher, testDigits, type Labelled } from './testing/teacher.ts';
import type { Victim } from './victim.ts';

let victim: Victim;
let digits: Labelled;
const shape = [1, 28, 28] as const;

before(async () => {
  [victim, digits] = [await openTeacher(), await testDigits(40)];
});
after(() => victim.close());

const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((value, i) => value - b[i]!));

describe('common corruptions', () => {
  for (const kind of corruptionKinds) {
    it(`change images more at severity 5 than at 1, stay in the bounds and come again: ${kind}`, () => {
      const at = (severity: 1 | 5, bounds: readonly [number, number] = [0, 1]): Float32Array =>
        corruptImages(digits.images, shape, bounds, kind, severity, digits.indices, 3);
      const [little, much] = [at(1), at(5)];
      assert.ok(distance(much, digits.images) > distance(little, digits.images));
      assert.deepEqual(at(5), much);
      assert.ok(much.every((value) => value >= 0 && value <= 1));
      const wide = corruptImages(
        digits.images.map((x) => 4 * x - 2),
        shape,
        [-2, 2],
        kind,
        5,
        digits.indices,
        3,
      );
      wide.forEach((value, i) => assert.ok(Math.abs((value + 2) / 4 - much[i]!) < 1e-4));
    });
  }

  it('shift an image as a whole and leave a constant one alone where they only mix pixels', () => {
    const flat = new Float32Array(784).fill(0.4);
    for (const kind of ['contrast', 'pixelate'] as const) {
      const changed = corruptImages(flat, shape, [0, 1], kind, 5, [0], 0);
      assert.ok(changed.every((value) => Math.abs(value - 0.4) < 1e-6));
    }
  });

  it('cost the digits little at severity 1, and much at 5 where they are noise', async () => {
    const share = async (severity: Severity): Promise<number> => {
      const corruption = { kind: 'impulse-noise', severity } as const;
      const right = await rightUnderCorruption(victim, digits.images, digits.labels, corruption, {
        indices: digits.indices,
        seed: 0,
      });
      return right.filter(Boolean).length / right.length;
    };
    assert.ok((await share(1)) >= 0.95);
    assert.ok((await share(5)) < 0.9);
  });
});
