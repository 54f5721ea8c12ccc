import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { float32 } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import type { DataRef } from '../contract/run.ts';
import { memorySet } from '../data/dataset.ts';
import { storeSet, temporaryFolder } from '../methods/testing/drive.ts';
import { houseModel } from '../onnx/write.ts';
import { storeModel } from '../train/testing/tiny-teacher.ts';
import { measureSanity } from './sanity.ts';

const dir = temporaryFolder({ after });
const shape = [1, 4, 4] as const;
const size = 16;

/** Answers 1 where the sum of what it is given is above 0: right for pixels from −1 to 1, always 1 for those from 0 on. */
function brightness(): string {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [1, ...shape], ['N', ...shape]);
  const weights = Float32Array.from({ length: 2 * size }, (_, i) => i % 2);
  g.output('y', g.gemm(g.flatten(x), g.constant(float32([size, 2], weights), 'w')));
  return storeModel(dir, 'brightness.onnx', houseModel(g.build('brightness', (_, dims) => ['N', ...dims.slice(1)])));
}

async function labelled(name: string, count: number, classes: readonly number[]): Promise<DataRef> {
  const labels = Int32Array.from({ length: count }, (_, i) => classes[i % classes.length] ?? 0);
  const images = Float32Array.from({ length: count * size }, (_, i) =>
    labels[Math.floor(i / size)] === 0 ? 0.2 : 0.7,
  );
  return storeSet(dir, name, memorySet({ title: name, images, shape: [...shape], labels }));
}

describe('the sanity meter', () => {
  it('is highest under the pre-processing that the model was made for', async () => {
    const path = brightness();
    const set = await labelled('both', 40, [0, 1]);
    const { count, chance, readings } = await measureSanity({ path, data: set, count: 30, also: [], threads: 1 });
    assert.deepEqual([count, chance], [30, 0.5]);
    const byTitle = new Map(readings.map((reading) => [reading.title, reading]));
    assert.equal(byTitle.get('Pixels from −1 to 1')?.accuracy, 1);
    assert.equal(byTitle.get('Pixels from −128 to 127')?.accuracy, 1);
    const plain = byTitle.get('Pixels from 0 to 1');
    assert.ok(
      plain && plain.accuracy < 0.8 && plain.interval[0] < plain.accuracy && plain.interval[1] > plain.accuracy,
    );
    assert.deepEqual(
      readings.map(({ accuracy }) => accuracy),
      readings.map(({ accuracy }) => accuracy).toSorted((a, b) => b - a),
    );
  });

  it('tries what it is told beside the usual, once', async () => {
    const path = brightness();
    const set = await labelled('told', 20, [0, 1]);
    const also = [
      { title: 'Found in config.json', normalisation: { mean: [0.5], std: [0.5] } },
      { title: 'What you said', normalisation: { mean: [0.4], std: [0.2] } },
      { title: 'For three channels', normalisation: { mean: [0, 0, 0], std: [1, 1, 1] } },
    ];
    const { readings } = await measureSanity({ path, data: set, count: 20, also, threads: 1 });
    const titles = readings.map(({ title }) => title);
    assert.ok(titles.includes('Found in config.json') && titles.includes('What you said'));
    assert.equal(titles.includes('Pixels from −1 to 1'), false);
    assert.equal(titles.includes('For three channels'), false);
  });

  it('refuses data whose labels the model does not have', async () => {
    const set = await labelled('three', 12, [0, 1, 2]);
    await assert.rejects(measureSanity({ path: brightness(), data: set, count: 12, also: [], threads: 1 }), {
      code: 'DATA_UNSUITABLE',
      message: /label 2, expected 0 to 1/,
    });
  });
});
