import { WorkbenchError } from '../../base/errors.ts';
import type { DataRef, ModelRef } from '../../contract/run.ts';
import { openDataset, type ImageSet } from '../../data/dataset.ts';
import { openFitting } from '../../train/inputs.ts';
import { openModel, openModelFile, type OpenedModel } from '../../train/models.ts';

export interface TrainingInputs {
  readonly model: OpenedModel;
  readonly train: ImageSet;
  /** Classes of the training images [count]. */
  readonly labels: Int32Array<ArrayBuffer>;
  readonly test: ImageSet | undefined;
}

export interface TrainingRefs {
  readonly model: ModelRef | undefined;
  readonly train: DataRef | undefined;
  readonly test: DataRef | undefined;
  readonly seed: number;
}

/**
 * Opens what a training needs. A file says what images and classes it takes; an architecture takes them from the
 * training set. @throws DATA_UNSUITABLE, DATA_UNREADABLE and whatever `openModelFile` says of a file
 */
export async function openTrainingInputs(refs: TrainingRefs): Promise<TrainingInputs> {
  const { model: ref, train: trainRef, test: testRef, seed } = refs;
  if (!ref) throw missing('model', 'an architecture or an ONNX file');
  if (!trainRef) throw missing('train', 'a folder or a file with labelled images');
  const { model, train } =
    ref.kind === 'file' ? await openForFile(ref, trainRef) : await openForArchitecture(ref, trainRef, seed);
  try {
    if (!train.labels) throw unlabelled(train);
    const test = testRef && (await openFitting(testRef, 'test', model, 'required'));
    return { model, train, labels: train.labels, test };
  } catch (error) {
    await train.close();
    throw error;
  }
}

type Opened = Pick<TrainingInputs, 'model' | 'train'>;

type FileRef = Extract<ModelRef, { kind: 'file' }>;

async function openForFile({ path, normalisation, dims, classNames }: FileRef, trainRef: DataRef): Promise<Opened> {
  const model = await openModelFile(path, normalisation, dims, classNames);
  return { model, train: await openFitting(trainRef, 'training', model, 'required') };
}

async function openForArchitecture(ref: ModelRef, trainRef: DataRef, seed: number): Promise<Opened> {
  const train = await openDataset(trainRef);
  try {
    const model = await openModel(ref, 'model', { shape: train.shape, classes: classCountOf(train), seed });
    return { model, train };
  } catch (error) {
    await train.close();
    throw error;
  }
}

/** Named classes count even when none of their items is in the set; else the labels say how many there are. */
function classCountOf(train: ImageSet): number {
  if (!train.labels) throw unlabelled(train);
  const count = train.labelNames?.length ?? train.labels.reduce((most, label) => Math.max(most, label + 1), 0);
  if (count >= 2) return count;
  throw new WorkbenchError('DATA_UNSUITABLE', `${train.title}: expected images of at least 2 classes, got ${count}`, {
    hint: 'Choose data with labels 0, 1, 2, … or one folder for each class.',
  });
}

const unlabelled = (train: ImageSet): WorkbenchError =>
  new WorkbenchError('DATA_UNSUITABLE', `${train.title} has no labels, but training needs them`, {
    hint: 'Choose labelled images: one folder for each class, or a file with labels beside the images.',
  });

const missing = (role: string, expected: string): WorkbenchError =>
  new WorkbenchError('PARAM_INVALID', `The run names no ${role}, expected ${expected}`, {
    hint: `Give one with --${role}.`,
  });
