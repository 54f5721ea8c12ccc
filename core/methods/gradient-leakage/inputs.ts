import { WorkbenchError } from '../../base/errors.ts';
import { fillUniform, permutation, stream } from '../../base/rng.ts';
import { float32, sizeOf, type FloatTensor } from '../../base/tensor.ts';
import { openDataset, type ImageSet } from '../../data/dataset.ts';
import { classNamesOf, openFitting } from '../../train/inputs.ts';
import { openModel, openModelFile, type OpenedModel } from '../../train/models.ts';
import { openVictim, type Victim } from '../../leakage/victim.ts';
import type { LocalTraining } from '../../leakage/victim-gradient.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import type { spec } from './spec.ts';

export type Params = ParamsOf<typeof spec>;
export type Context = RunContext<Params>;

/** Images in memory, as far as a run looks at them. */
export interface Pictures {
  readonly title: string;
  readonly count: number;
  /** [count, C, H, W] in [0, 1]. */
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer> | undefined;
}

export interface Inputs {
  readonly model: OpenedModel;
  /** The participant's images; the first `gallery` of them and those that are attacked. */
  readonly own: Pictures & { readonly labels: Int32Array<ArrayBuffer> };
  readonly publics: Pictures | undefined;
  readonly classNames: readonly string[];
}

/** As many images as a run can need are kept in memory. */
const mostPictures = 20_000;
const mostBytes = 2 ** 29;

/** @throws DATA_UNSUITABLE, DATA_UNREADABLE, MODEL_UNSUITABLE and what the model's file says */
export async function openInputs({ models, data, params }: Context): Promise<Inputs> {
  const ref = models['victim'];
  const imagesRef = data['images'];
  if (!ref) throw missing('victim', 'an architecture or an ONNX file');
  if (!imagesRef) throw missing('images', 'a folder or a file with labelled images');
  const opened: ImageSet[] = [];
  try {
    const first = ref.kind === 'file' ? undefined : await openDataset(imagesRef);
    if (first) opened.push(first);
    const model =
      ref.kind === 'file'
        ? await openModelFile(ref.path, ref.normalisation, ref.dims, ref.classNames)
        : await openModel(ref, 'victim', {
            shape: first?.shape ?? [1, 1, 1],
            classes: classesOf(first),
            seed: params.seed,
          });
    const own = first ?? (await openFitting(imagesRef, 'images', model, 'required'));
    if (!first) opened.push(own);
    const publicSet = data['public'] && (await openFitting(data['public'], 'public', model, 'optional'));
    if (publicSet) opened.push(publicSet);
    const ownPictures = await readPictures(own, model, neededOf(params));
    const { labels } = ownPictures;
    if (!labels)
      throw new WorkbenchError('DATA_UNSUITABLE', `${own.title} has no labels, but they are needed to score`, {
        hint: 'Choose labelled images.',
      });
    return {
      model,
      own: { ...ownPictures, labels },
      publics: publicSet && (await readPictures(publicSet, model, mostPictures)),
      classNames: classNamesOf(model, own),
    };
  } finally {
    await Promise.all(opened.map((set) => set.close()));
  }
}

function neededOf({ runs, batchSize, gallery, tradeoffSteps, imprintBatchSize, labelBatchSizes }: Params): number {
  const attacked = runs * batchSize * 4;
  return Math.max(
    attacked,
    gallery,
    tradeoffSteps > 0 ? 2000 : 0,
    8 * imprintBatchSize,
    40 * Math.max(...labelBatchSizes),
  );
}

async function readPictures(set: ImageSet, model: OpenedModel, wanted: number): Promise<Pictures> {
  const size = sizeOf(model.shape);
  const count = Math.max(1, Math.min(set.count, wanted, mostPictures, Math.floor(mostBytes / (4 * size))));
  const images = new Float32Array(count * size);
  await set.read(
    Int32Array.from({ length: count }, (_, i) => i),
    images,
  );
  return { title: set.title, count, images, labels: set.labels?.slice(0, count) };
}

function classesOf(set: ImageSet | undefined): number {
  const count = set?.labelNames?.length ?? set?.labels?.reduce((most, label) => Math.max(most, label + 1), 0) ?? 0;
  if (count >= 2) return count;
  throw new WorkbenchError(
    'DATA_UNSUITABLE',
    `${set?.title ?? 'The images'}: expected labelled images of at least 2 classes, got ${count}`,
    {
      hint: 'Choose data with labels 0, 1, 2, … or one folder for each class.',
    },
  );
}

const missing = (role: string, expected: string): WorkbenchError =>
  new WorkbenchError('PARAM_INVALID', `The run names no ${role}, expected ${expected}`, {
    hint: `Give one with --${role}.`,
  });

/** The network that is attacked in run `index`; of its own where weights are drawn anew for each run. */
export function victimOf(model: OpenedModel, params: Params, index: number): Victim {
  const { weights, initBound, netPerRun, activation, batchNorm, seed } = params;
  const netSeed = seed + (netPerRun ? index : 0);
  return openVictim(model, {
    weights:
      weights === 'as-given'
        ? { kind: 'file' }
        : weights === 'uniform'
          ? { kind: 'uniform', bound: initBound, seed: netSeed }
          : { kind: 'torch-default', seed: netSeed },
    ...(activation === 'as-given' ? {} : { activation }),
    batchNorm,
  });
}

/** Whether the weights are drawn anew. */
export const isFresh = ({ weights, trainEpochs }: Params): boolean => weights !== 'as-given' && trainEpochs === 0;

export const localTraining = ({ localSteps, localRate, localBatchSize }: Params): LocalTraining | undefined =>
  localSteps === 0
    ? undefined
    : { steps: localSteps, learningRate: localRate, ...(localBatchSize === 0 ? {} : { batchSize: localBatchSize }) };

/** Items of a batch, by the choice of labels. */
export function batchItems(
  labels: ArrayLike<number>,
  choice: 'random' | 'distinct' | 'repeated',
  size: number,
  index: number,
  seed: number,
): readonly number[] {
  const count = labels.length;
  if (choice === 'random') {
    // In the order of the set, so that run r of a batch of one is image r.
    if ((index + 1) * size <= count) return Array.from({ length: size }, (_, k) => index * size + k);
    const rng = stream(seed, 'leakage', 'batch', index);
    return Array.from({ length: size }, () => rng.int(count));
  }
  const order = permutation(stream(seed, 'leakage', 'batch', choice, index), count);
  const first = labels[order[0] ?? 0];
  const taken: number[] = [];
  const seen = new Set<number>();
  for (const item of order) {
    const label = labels[item] ?? 0;
    if (choice === 'distinct' ? seen.has(label) : label !== first) continue;
    seen.add(label);
    taken.push(item);
    if (taken.length === size) return taken;
  }
  throw new WorkbenchError(
    'DATA_UNSUITABLE',
    `Expected ${size} images ${choice === 'distinct' ? 'of as many classes' : 'of one class'}, got ${taken.length} of ${count} that were looked at`,
    { hint: 'Choose a smaller batch, more images, or labels as they come.' },
  );
}

/** Images [n, C, H, W] and labels of items. */
export function take(
  { images, labels }: Inputs['own'],
  items: readonly number[],
  shape: readonly number[],
): { readonly images: FloatTensor; readonly labels: readonly number[] } {
  const size = sizeOf(shape);
  const out = new Float32Array(items.length * size);
  items.forEach((item, k) => out.set(images.subarray(item * size, (item + 1) * size), k * size));
  return { images: float32([items.length, ...shape], out), labels: items.map((item) => labels[item] ?? 0) };
}

/** Inputs that the attacker has anyway: public images, or noise. [count, C, H, W] */
export function dummyImages(
  publics: Pictures | undefined,
  shape: readonly number[],
  count: number,
  seed: number,
): FloatTensor {
  const size = sizeOf(shape);
  const out = new Float32Array(count * size);
  if (publics) {
    for (let k = 0; k < count; k++) {
      const item = k % publics.count;
      out.set(publics.images.subarray(item * size, (item + 1) * size), k * size);
    }
  } else fillUniform(stream(seed, 'leakage', 'dummy'), out);
  return float32([count, ...shape], out);
}
