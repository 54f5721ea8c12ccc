import { confusionDissimilarity, gatherMeans, type Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import { arraySource, createPredictor, type Predictor } from '../../train/evaluate.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { Audit } from './audit.ts';
import { inPieces } from './images.ts';
import { chooseMeasures } from './measures.ts';

/** The measures of the run, the first of which leads. `victimLogits` [N, K] of the clean images. */
export async function measuresOf(
  audit: Audit,
  victimLogits: Float32Array,
  signal: AbortSignal,
): Promise<Dissimilarity[]> {
  const { judge, images, labels, taxonomy } = audit;
  const victim = audit.models[0]?.model ?? judge;
  const { classes } = victim;
  const missing = classes - new Set(labels).size;
  const isOwn = judge === victim;
  const judged = isOwn ? undefined : await predictorOf(judge, judge.logitsName);
  // Features that enter the last linear layer; where it is a convolution they are no rows.
  const { templates } = judge.description;
  const featured =
    missing > 0 || !templates || templates.op === 'Conv' ? undefined : await predictorOf(judge, templates.featureName);
  try {
    const [pixels, features] = [gatherMeans(labels, classes), gatherMeans(labels, classes)];
    const judgeLogits = isOwn ? victimLogits : new Float32Array(labels.length * classes);
    for await (const { from, images: some } of inPieces(images, piece, signal)) {
      const source = arraySource(some, judge.shape);
      if (judged) judgeLogits.set(await judged.predict(source, { signal }), from * classes);
      if (featured) features.add(await featured.predict(source, { signal }), featured.classes);
      if (missing === 0) pixels.add(some, images.size);
    }
    return chooseMeasures({
      taxonomy,
      victim,
      judge,
      // Of two classes without images nothing is known of each other.
      confusion: missing < 2 ? confusionDissimilarity(judgeLogits, labels, classes) : undefined,
      features: featured && features.dissimilarity(),
      pixels: missing === 0 ? pixels.dissimilarity() : undefined,
    });
  } finally {
    await judged?.close();
    await featured?.close();
  }
}

/** Images at a time: a multiple of every batch of a predictor, so that batches are those of the whole set. */
const piece = 256;

function predictorOf({ graph, shape }: OpenedModel, name: string): Promise<Predictor> {
  const outputs = [{ name, dtype: 'float32' as const, shape: ['N', 'F'] }];
  return createPredictor({
    graph: { ...graph, outputs },
    shape,
    outputName: name,
    session: { device: 'cpu', threads: 1 },
  });
}
