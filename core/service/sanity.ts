import type { SanityReading } from '../contract/sanity.ts';
import type { DataRef, Normalisation } from '../contract/run.ts';
import { openDataset, type ImageSet } from '../data/dataset.ts';
import { fitSet } from '../data/preprocess.ts';
import { unsuitable } from '../data/errors.ts';
import { accuracy, argmaxRows } from '../metrics/classification.ts';
import { wilsonInterval } from '../metrics/intervals.ts';
import { softmaxRows } from '../metrics/probabilities.ts';
import { multiplyAdds } from '../train/cost.ts';
import { createPredictor, type ImageSource, type Predictor } from '../train/evaluate.ts';
import { labelledByName } from '../train/inputs.ts';
import { openModelFile, type OpenedModel } from '../train/models.ts';

export interface SanityAsked {
  readonly path: string;
  readonly data: DataRef;
  /** At most so many images; fewer for a model that would take long. */
  readonly count: number;
  /** Tried beside the usual ones: what the file or the user says. */
  readonly also: readonly { readonly title: string; readonly normalisation: Normalisation }[];
  readonly threads: number;
  /** What the model calls its classes: labels of data with names are numbered by them. */
  readonly classNames?: readonly string[] | undefined;
}

interface Candidate {
  readonly title: string;
  readonly normalisation: Normalisation;
}

/** What pixels in [0, 1] usually become before a model sees them; by the number of channels where it matters. */
const usual: readonly Candidate[] = [
  { title: 'Pixels from 0 to 1', normalisation: { mean: [0], std: [1] } },
  { title: 'Pixels from −1 to 1', normalisation: { mean: [0.5], std: [0.5] } },
  { title: 'Pixels from 0 to 255', normalisation: { mean: [0], std: [1 / 255] } },
  { title: 'Pixels from −128 to 127', normalisation: { mean: [128 / 255], std: [1 / 255] } },
];
const byChannels: Readonly<Record<number, readonly Candidate[]>> = {
  1: [
    { title: 'MNIST, mean and deviation', normalisation: { mean: [0.1307], std: [0.3081] } },
    { title: 'Fashion-MNIST, mean and deviation', normalisation: { mean: [0.286], std: [0.353] } },
  ],
  3: [
    {
      title: 'ImageNet, mean and deviation',
      normalisation: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    },
    {
      title: 'CIFAR-10, mean and deviation',
      normalisation: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
    },
    {
      title: 'CLIP, mean and deviation',
      normalisation: { mean: [0.4815, 0.4578, 0.4082], std: [0.2686, 0.2613, 0.2758] },
    },
  ],
};

/** Multiply-adds that all candidates together may take: some twenty seconds on a slow machine. */
const mostMultiplyAdds = 4e11;

/**
 * How a model does on a few labelled images under each pre-processing that is usual: the right one stands out.
 * @throws DATA_UNSUITABLE without labels, or with labels that the model does not have
 */
export async function measureSanity(asked: SanityAsked): Promise<SanityReading> {
  // Pixels come to the predictor as the candidate leaves them.
  const model = await openModelFile(asked.path, { mean: [0], std: [1] });
  const [channels, height, width] = model.shape;
  const candidates = distinct([...asked.also, ...usual, ...(byChannels[channels] ?? [])]).filter(({ normalisation }) =>
    [normalisation.mean, normalisation.std].every(({ length }) => length === 1 || length === channels),
  );
  const affordable = Math.floor(mostMultiplyAdds / candidates.length / multiplyAdds(model.graph, [1, ...model.shape]));
  const limit = Math.max(10, Math.min(asked.count, affordable));
  const opened = await openDataset({ ...asked.data, limit }, { resizeTo: [height, width] });
  const set = asked.classNames?.length === model.classes ? labelledByName(opened, asked.classNames) : opened;
  try {
    const { labels } = set;
    if (!labels) throw unsuitable(`${set.title} has no labels, expected labelled images`, 'Choose a labelled set.');
    checkLabels(set, labels, model);
    const fitted = fitSet(set, { channels, height, width });
    const predictor = await createPredictor({
      graph: model.graph,
      shape: model.shape,
      session: { device: 'cpu', threads: asked.threads },
    });
    try {
      const readings: SanityReading['readings'] = [];
      for (const candidate of candidates) readings.push(await readingOf(predictor, fitted, labels, candidate));
      return {
        count: set.count,
        chance: 1 / model.classes,
        // Of equals, what was found or is most usual stays first.
        readings: readings.toSorted((a, b) => b.accuracy - a.accuracy),
      };
    } finally {
      await predictor.close();
    }
  } finally {
    await set.close();
  }
}

function checkLabels(set: ImageSet, labels: Int32Array, { title, classes }: OpenedModel): void {
  const wrong = labels.find((label) => label < 0 || label >= classes);
  if (wrong === undefined) return;
  throw unsuitable(
    `${set.title} has the label ${wrong}, expected 0 to ${classes - 1} as ${title} has ${classes} classes`,
    'Choose images of the classes that the model knows.',
  );
}

function distinct(candidates: readonly Candidate[]): readonly Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ normalisation: { mean, std } }) => {
    const key = JSON.stringify([mean, std]);
    return !seen.has(key) && seen.add(key);
  });
}

async function readingOf(
  predictor: Predictor,
  set: ImageSource,
  labels: Int32Array,
  { title, normalisation }: Candidate,
): Promise<SanityReading['readings'][number]> {
  const logits = await predictor.predict(normalisedSource(set, normalisation));
  const predictions = argmaxRows(logits, predictor.classes);
  const share = accuracy(predictions, labels);
  const { low, high } = wilsonInterval(Math.round(share * labels.length), labels.length);
  const probabilities = softmaxRows(logits, predictor.classes);
  let confidence = 0;
  predictions.forEach((label, i) => (confidence += probabilities[i * predictor.classes + label] ?? 0));
  return { title, normalisation, accuracy: share, interval: [low, high], confidence: confidence / labels.length };
}

/** (pixel − mean) / std on the way out. */
function normalisedSource(set: ImageSource, { mean, std }: Normalisation): ImageSource {
  const [channels, height, width] = set.shape;
  const plane = height * width;
  return {
    count: set.count,
    shape: set.shape,
    async read(indices, out) {
      await set.read(indices, out);
      for (let i = 0; i < out.length; i++) {
        const channel = Math.floor(i / plane) % channels;
        out[i] = (out[i]! - (mean[channel] ?? mean[0] ?? 0)) / (std[channel] ?? std[0] ?? 1);
      }
    },
  };
}
