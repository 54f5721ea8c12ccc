import { WorkbenchError } from '../base/errors.ts';
import type { DataRef } from '../contract/run.ts';
import { checkFit, openDataset, type ImageSet } from '../data/dataset.ts';
import type { OpenedModel } from './models.ts';

/**
 * Opens a data set for a model; DATA_UNSUITABLE with every reason why it does not fit. Where both name their classes, labels
 * are numbered as the model numbers them: folders are sorted by name, logits are in any order.
 */
export async function openFitting(
  ref: DataRef,
  role: string,
  model: Pick<OpenedModel, 'shape' | 'classes' | 'title' | 'classNames'>,
  labels: 'required' | 'optional' | 'unused',
): Promise<ImageSet> {
  const opened = await openDataset(ref, { resizeTo: [model.shape[1], model.shape[2]] });
  const set = model.classNames?.length === model.classes ? labelledByName(opened, model.classNames) : opened;
  const [channels, height, width] = model.shape;
  const reasons = checkFit(set, { channels, height, width, classCount: model.classes, labels });
  if (reasons.length === 0) return set;
  await set.close();
  throw new WorkbenchError('DATA_UNSUITABLE', `The ${role} data do not fit ${model.title}: ${reasons.join('; ')}`, {
    hint: 'Choose data of the model’s image size and classes.',
    details: { reasons },
  });
}

/** The set with the numbers that `classNames` give its label names; as it is where one of them is not among these. */
export function labelledByName(set: ImageSet, classNames: readonly string[]): ImageSet {
  const { labels, labelNames } = set;
  const numbers = labelNames?.map(numbererOf(classNames)) ?? [];
  const areKnown = labels !== undefined && numbers.length > 0 && !numbers.includes(undefined);
  // Two names for one class would make two classes one.
  if (!areKnown || new Set(numbers).size < numbers.length) return set;
  if (numbers.every((number, label) => number === label)) return set;
  return {
    ...set,
    title: `${set.title}, labels by name`,
    labels: labels.map((label) => numbers[label] ?? label),
    labelNames: classNames,
  };
}

const plainName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ')
    .trim();

/** By the whole name, or by what stands before its first comma: "tench" is "tench, Tinca tinca". */
function numbererOf(classNames: readonly string[]): (name: string) => number | undefined {
  const whole = uniqueNumbers(classNames.map(plainName));
  const firsts = uniqueNumbers(classNames.map((name) => plainName(name.split(',')[0] ?? name)));
  return (name) => whole.get(plainName(name)) ?? firsts.get(plainName(name));
}

/** Without names that several classes have. */
function uniqueNumbers(names: readonly string[]): ReadonlyMap<string, number> {
  const numbers = new Map(names.map((name, number) => [name, number]));
  names.forEach((name, number) => {
    if (numbers.get(name) !== number) numbers.delete(name);
  });
  return numbers;
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
