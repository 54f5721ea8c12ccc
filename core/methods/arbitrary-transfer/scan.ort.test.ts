import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillUniform, stream } from '../../base/rng.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import { entropyRows, softmaxRows } from '../../metrics/probabilities.ts';
import { predictLogits } from '../../train/evaluate-arms.ts';
import { arraySource } from '../../train/evaluate.ts';
import { opened, tinyClasses, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import { newScan, restoreScan, scanCheckpoint, scanColumn, scanPool, type Scan } from './scan.ts';

const teacher = await opened(await trainedOnShapes(tinyNet()));
const session = { device: 'cpu', threads: 1 } as const;
const { signal } = new AbortController();
/** More than one block of a checkpoint. */
const count = 17_000;
const images = new Float32Array(count * 100);
fillUniform(stream(1, 'scan-test'), images);
const source = arraySource(images, tinyShape);

async function scanned(isEnough: (scan: Scan) => boolean = () => false, scan = newScan(tinyClasses)): Promise<Scan> {
  const options = { teacher, source, temperature: 20, session, signal, isEnough };
  for await (const _ of scanPool(options, scan));
  return scan;
}

describe('a scan of a pool', () => {
  it('keeps what the teacher says of each image', async () => {
    const scan = await scanned((each) => each.count >= 500);
    const logits = await predictLogits(teacher, arraySource(images.subarray(0, 50_000), tinyShape), session, signal);
    const labels = argmaxRows(logits, tinyClasses);
    assert.deepEqual(Array.from(scanColumn(scan, 'label').slice(0, 500)), Array.from(labels));
    const near = (field: 'entropy' | 'softEntropy', temperature: number): void => {
      const expected = entropyRows(softmaxRows(logits, tinyClasses, temperature), tinyClasses);
      scanColumn(scan, field)
        .slice(0, 500)
        .forEach((value, i) => assert.ok(Math.abs(value - (expected[i] ?? 9)) < 1e-5));
    };
    near('entropy', 1);
    near('softEntropy', 20);
    assert.equal(
      scan.histogram.reduce((a, b) => a + b, 0),
      scan.count,
    );
  });

  it('measures the margin by the class templates of the last layer', async () => {
    const scan = await scanned((each) => each.count >= 1);
    const logits = await predictLogits(teacher, arraySource(images.subarray(0, 100), tinyShape), session, signal);
    const [first = 0, second = 0] = Array.from(logits.keys()).toSorted((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
    const { weight, featureCount } = teacher.description.templates ?? { weight: new Float32Array(0), featureCount: 0 };
    const row = (k: number): Float32Array => weight.subarray(k * featureCount, (k + 1) * featureCount);
    const distance = Math.hypot(...row(first).map((value, j) => value - (row(second)[j] ?? 0)));
    const expected = ((logits[first] ?? 0) - (logits[second] ?? 0)) / distance;
    assert.ok(Math.abs((scanColumn(scan, 'margin')[0] ?? 0) - expected) < 1e-5 * expected);
  });

  it('ends soon after it is enough, and does not begin when it is', async () => {
    const scan = await scanned((each) => each.count >= 3000);
    assert.ok(scan.count >= 3000 && scan.count < 3000 + 4 * 256);
    assert.equal((await scanned(() => true)).count, 0);
  });

  it('is the same after a checkpoint in the middle of its second block', async () => {
    const straight = await scanned();
    assert.equal(straight.count, count);
    const half = await scanned((each) => each.count >= 16_500);
    const { tensors, parts } = structuredClone(scanCheckpoint(half, 'scan/0'));
    assert.deepEqual([Object.keys(parts), Object.keys(tensors)], [['scan/0/0'], ['scan/0/open']]);
    const again = await scanned(() => false, restoreScan(half.count, tinyClasses, 'scan/0', tensors, parts));
    for (const field of ['label', 'confidence', 'entropy', 'softEntropy', 'margin'] as const) {
      assert.deepEqual(scanColumn(again, field), scanColumn(straight, field));
    }
    assert.deepEqual(again.histogram, straight.histogram);
  });

  it('refuses a checkpoint that lacks a part of it', () => {
    assert.throws(() => restoreScan(20_000, tinyClasses, 'scan/0', {}, {}), { code: 'CHECKPOINT_STALE' });
  });
});
