import { stream } from '../../base/rng.ts';
import type { ParamsOf } from '../define.ts';
import type { spec } from './spec.ts';

/** Classes to reach for `goal`, by the clean logits [N, K]; never the label. undefined: any wrong class. */
export function targetsOf(
  goal: ParamsOf<typeof spec>['goal'],
  logits: Float32Array,
  labels: Int32Array,
  indices: ArrayLike<number>,
  seed: number,
): Int32Array<ArrayBuffer> | undefined {
  if (goal === 'untargeted') return undefined;
  const k = logits.length / labels.length;
  return Int32Array.from(labels, (label, i) => {
    if (goal === 'next') return (label + 1) % k;
    if (goal === 'random') return (label + 1 + stream(seed, 'target', indices[i] ?? i).int(k - 1)) % k;
    const row = logits.subarray(i * k, (i + 1) * k);
    const others = Array.from({ length: k }, (_, c) => c).filter((c) => c !== label);
    const sorted = others.sort((a, b) => row[b]! - row[a]! || a - b);
    return sorted.at(goal === 'runner-up' ? 0 : -1) ?? label;
  });
}
