import { WorkbenchError } from '../base/errors.ts';
import type { DataRef } from '../contract/run.ts';
import { checkFit, openDataset, type ImageSet } from '../data/dataset.ts';
import type { OpenedModel } from './models.ts';

/** Opens a data set for a model; DATA_UNSUITABLE with every reason why it does not fit. */
export async function openFitting(
  ref: DataRef,
  role: string,
  model: Pick<OpenedModel, 'shape' | 'classes' | 'title'>,
  labels: 'required' | 'optional' | 'unused',
): Promise<ImageSet> {
  const set = await openDataset(ref, { resizeTo: [model.shape[1], model.shape[2]] });
  const [channels, height, width] = model.shape;
  const reasons = checkFit(set, { channels, height, width, classCount: model.classes, labels });
  if (reasons.length === 0) return set;
  await set.close();
  throw new WorkbenchError('DATA_UNSUITABLE', `The ${role} data do not fit ${model.title}: ${reasons.join('; ')}`, {
    hint: 'Choose data of the model’s image size and classes.',
    details: { reasons },
  });
}

/** Names of the classes: as the user calls those of the model, else the data's where they have them, else the numbers. */
export function classNamesOf(
  { classes, classNames }: Pick<OpenedModel, 'classes' | 'classNames'>,
  ...sets: readonly (Pick<ImageSet, 'labelNames'> | undefined)[]
): readonly string[] {
  if (classNames?.length === classes) return classNames;
  const named = sets.find((set) => set?.labelNames?.length === classes)?.labelNames;
  return named ?? Array.from({ length: classes }, (_, k) => String(k));
}
