import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { quantised } from '../../attacks/unit.ts';
import { worstCase } from '../../attacks/verdicts.ts';
import type { Victim } from '../../attacks/victim.ts';
import { mostArchived, writeArchive } from '../../data/archive.ts';
import { npyBytes, npyHeader, pngGrid } from '../../data/write.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import type { AuditData } from '../../report/audit.ts';
import type { Events } from '../events.ts';
import type { Stage } from './groups.ts';
import type { PickedImages } from './images.ts';

/** What the export of adversarial images has to know. */
export interface Exported {
  readonly params: { readonly exported: number; readonly low: number; readonly high: number };
  readonly norm: string;
  readonly epsilon: number;
  readonly stages: readonly Stage[];
  readonly images: PickedImages;
  readonly indices: Int32Array;
  readonly victim: Victim;
  readonly signal: AbortSignal;
  readonly scratch: string;
}

/** An adversarial image of the worst case with what is known of it. */
interface Kept {
  /** Place in the order, and number in the data. */
  readonly place: number;
  readonly index: number;
  readonly label: number;
  readonly reached: number;
  readonly stage: Stage;
}

/**
 * The worst case at an epsilon as files, written some images at a time; PNG only of what still fools the model once rounded
 * to 8 bits.
 */
export async function* writeAdversarial(given: Exported): Events<AuditData['eightBit']> {
  const { params, norm, epsilon, stages, images, indices, victim, scratch } = given;
  const kept = worstCase(stages, epsilon, images.count)
    .flatMap((stage, place): Kept[] => {
      const record = stage?.records[place];
      if (!stage || !record) return [];
      return [{ place, index: indices[place] ?? place, label: record.label, reached: record.reached, stage }];
    })
    .slice(0, params.exported);
  if (kept.length === 0) return null;
  const npz = join(scratch, 'adversarial.npz');
  await writeArchive(npz, async (add) => {
    const { shape } = victim.model;
    const whole = npyHeader('float32', [kept.length, ...shape]);
    await add(
      'images.npy',
      floatPieces(whole, given, kept, async (some) => adversarialOf(some, images.size)),
    );
    await add(
      'clean.npy',
      floatPieces(whole, given, kept, (some) => images.at(some.map(({ place }) => place))),
    );
    for (const [name, pick] of numbers) {
      const data = Int32Array.from(kept, (one) => one[pick]);
      await add(`${name}.npy`, [npyBytes({ dtype: 'int32', dims: [kept.length], data })]);
    }
  });
  yield {
    type: 'artifact',
    name: 'adversarial.npz',
    title: 'Adversarial images, worst case at the largest epsilon',
    content: { file: npz, mediaType: 'application/x-npz' },
    meta: { count: kept.length, epsilon, attacks: [...new Set(kept.map(({ stage }) => stage.attackId))] },
  };
  const [channels] = victim.model.shape;
  const isUnit = params.low === 0 && params.high === 1;
  if (norm !== 'linf' || !isUnit || (channels !== 1 && channels !== 3)) return null;
  const stillFooled = yield* writePictures(given, kept);
  return { epsilon, count: kept.length, stillFooled };
}

const numbers = [
  ['labels', 'label'],
  ['reached', 'reached'],
  ['indices', 'index'],
] as const;

/** Writes what survives rounding, each picture as it is made; gives how many do. */
async function* writePictures(given: Exported, kept: readonly Kept[]): Events<number> {
  const { epsilon, images, victim, scratch } = given;
  const path = join(scratch, 'adversarial-png.zip');
  let [stillFooled, count] = [0, 0];
  await writeArchive(path, async (add) => {
    for (const some of inSome(kept, given)) {
      const clean = await images.at(some.map(({ place }) => place));
      const rounded = await quantised(victim, adversarialOf(some, images.size), clean, epsilon);
      const answers = argmaxRows(rounded.logits, victim.classes);
      for (const [i, { index, label, stage }] of some.entries()) {
        const reached = answers[i];
        if (reached === label) continue;
        stillFooled++;
        if (count === mostArchived) continue;
        const picture = rounded.images.subarray(i * images.size, (i + 1) * images.size);
        const png = await pngGrid(picture, [1, ...victim.model.shape], { columns: 1 });
        await add(`${index}-${label}-as-${reached}-${stage.attackId}.png`, [png]);
        count++;
      }
    }
  });
  if (count === 0) rmSync(path, { force: true });
  else {
    yield {
      type: 'artifact',
      name: 'adversarial-png.zip',
      title: 'Adversarial images that survive rounding to 8 bits',
      content: { file: path, mediaType: 'application/zip' },
      meta: { count },
    };
  }
  return stillFooled;
}

function* inSome(kept: readonly Kept[], { victim, signal }: Exported): Generator<readonly Kept[], void> {
  for (let from = 0; from < kept.length; from += victim.batchSize) {
    signal.throwIfAborted();
    yield kept.slice(from, from + victim.batchSize);
  }
}

async function* floatPieces(
  header: Uint8Array,
  given: Exported,
  kept: readonly Kept[],
  read: (some: readonly Kept[]) => Promise<Float32Array>,
): AsyncGenerator<Uint8Array, void> {
  yield header;
  for (const some of inSome(kept, given)) {
    const values = await read(some);
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
}

function adversarialOf(kept: readonly Kept[], size: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(kept.length * size);
  kept.forEach(({ stage, place }, i) => rows.set(stage.adversarial(place) ?? [], i * size));
  return rows;
}
