import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { stepToHyperplane } from './hyperplane.ts';

const norms = ['linf', 'l2', 'l1'] as const;
const size = 12;

function sizeOf(norm: (typeof norms)[number], d: Float32Array): number {
  if (norm === 'linf') return Math.max(...d.map(Math.abs));
  return norm === 'l1' ? d.reduce((sum, value) => sum + Math.abs(value), 0) : Math.hypot(...d);
}

describe('the step to a hyperplane in a box', () => {
  for (const norm of norms) {
    it(`lands on it inside the box, and no shorter ${norm} step does`, () => {
      for (let trial = 0; trial < 200; trial++) {
        const rng = stream(3, 'plane', norm, trial);
        const [t, w, goal, d] = [0, 1, 2, 3].map(() => new Float32Array(size));
        assert.ok(t && w && goal && d);
        fillUniform(rng, t);
        fillUniform(rng, goal);
        fillUniform(rng, w, -1, 1);
        // A plane through a point of the box, so that it can be reached.
        const b = w.reduce((sum, value, i) => sum + value * goal[i]!, 0);
        stepToHyperplane(norm, t, w, b, [0, 1], d);
        const at = t.map((value, i) => value + d[i]!);
        assert.ok(at.every((value) => value >= -1e-6 && value <= 1 + 1e-6));
        assert.ok(Math.abs(w.reduce((sum, value, i) => sum + value * at[i]!, 0) - b) < 1e-5);
        // Other ways to the plane inside the box: none may be shorter.
        assert.ok(
          sizeOf(
            norm,
            goal.map((value, i) => value - t[i]!),
          ) >=
            sizeOf(norm, d) - 1e-5,
        );
        for (let other = 0; other < 20; other++) {
          const mixed = new Float32Array(size);
          fillUniform(rng, mixed);
          const reach = w.reduce((sum, value, i) => sum + value * mixed[i]!, 0);
          const share = (b - w.reduce((sum, value, i) => sum + value * at[i]!, 0)) / (reach - b || 1);
          if (Math.abs(reach - b) > 0.02 || Math.abs(share) > 1) continue;
          assert.ok(
            sizeOf(
              norm,
              mixed.map((value, i) => value - t[i]!),
            ) >=
              sizeOf(norm, d) - 0.05,
          );
        }
      }
    });
  }

  it('is |f| w / ‖w‖² in l2 and |f| sign(w) / ‖w‖₁ in linf where the box is far', () => {
    const [t, w] = [Float32Array.of(0.5, 0.5, 0.5), Float32Array.of(3, -4, 0)];
    const d = new Float32Array(3);
    stepToHyperplane('l2', t, w, -0.5 + 0.05, [0, 1], d);
    assert.deepEqual(
      [...d].map((value) => Number(value.toFixed(5))),
      [0.006, -0.008, 0],
    );
    stepToHyperplane('linf', t, w, -0.5 + 0.07, [0, 1], d);
    assert.deepEqual(
      [...d].map((value) => Number(value.toFixed(5))),
      [0.01, -0.01, 0],
    );
  });

  it('goes as far as the box lets it where the plane is out of reach', () => {
    const d = new Float32Array(2);
    for (const norm of norms) {
      stepToHyperplane(norm, Float32Array.of(0.25, 0.75), Float32Array.of(1, -1), 9, [0, 1], d);
      assert.deepEqual([...d], [0.75, -0.75]);
    }
  });
});
