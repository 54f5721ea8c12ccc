import { float32, sizeOf } from '../../base/tensor.ts';
import { toWorkbenchError } from '../../base/errors.ts';
import { pngGrid } from '../../data/write.ts';
import { recoverRecursively } from '../../leakage/analytic-recursion.ts';
import { linearInput, scanRows } from '../../leakage/analytic.ts';
import { clipped } from '../../leakage/score.ts';
import type { SharedGradients } from '../../leakage/victim-gradient.ts';
import { boxOf, candidateTolerance, chainOf, isLinearFirst, layerGradient, toPixels } from './closed-form-layer.ts';
import type { ClosedFileData } from './report-data.ts';
import { weightsOf } from './sharing.ts';
import type { Events } from '../events.ts';
import type { Work } from './work.ts';

type Found = ClosedFileData['rows'][number] & { readonly images: readonly Float32Array[] };

/** Candidates of a batch that are shown, those first that most rows agree on. */
const mostCandidates = 12;

/**
 * What comes back of a gradient file by formula. Without the true images it is held against the file itself: how far the
 * gradient of what came back is from the one given.
 */
export async function* closedFromFile(work: Work): Events<void> {
  const { params, given } = work.unitWork;
  if (!given || given.kind !== 'gradient' || !params.closedForm) return;
  const found = [...(await firstLayer(work, given)), ...(await recursion(work, given))];
  if (found.length === 0) return;
  const rows = found.map(({ way, count, distance, note }) => ({ way, count, distance, note }));
  yield {
    type: 'artifact',
    name: 'closed-form-file',
    title: 'Recovered in closed form',
    content: { json: { rows } },
  };
  const { shape } = work.victim;
  const images = found.flatMap((each) => each.images);
  if (images.length === 0 || (shape[0] !== 1 && shape[0] !== 3)) return;
  const all = new Float32Array(images.length * sizeOf(shape));
  images.forEach((image, i) => all.set(image, i * sizeOf(shape)));
  yield {
    type: 'artifact',
    name: 'closed-form.png',
    title: 'Images in closed form',
    content: {
      bytes: await pngGrid(all, [images.length, ...shape], { columns: images.length, gap: 2 }),
      mediaType: 'image/png',
    },
    meta: { rows: 1, columns: images.length },
  };
}

async function firstLayer(work: Work, given: SharedGradients): Promise<Found[]> {
  const chain = chainOf(work.victim);
  if (!isLinearFirst(chain)) return [];
  const gradient = layerGradient(chain, given);
  if (work.unitWork.params.batchSize === 1) {
    const input = linearInput(gradient);
    if (!input) return [];
    return [await single(work, given, 'A1: quotient of the first linear layer', clipped(toPixels(chain, input)), '')];
  }
  const candidates = scanRows(gradient, { box: boxOf(chain), tolerance: candidateTolerance });
  const images = candidates.slice(0, mostCandidates).map(({ input }) => clipped(toPixels(chain, input)));
  const note = `${candidates.length} candidates; those that several rows agree on are most likely images of the batch`;
  return [{ way: 'A2: rows that one image alone makes active', count: images.length, distance: null, note, images }];
}

async function recursion(work: Work, given: SharedGradients): Promise<Found[]> {
  const chain = chainOf(work.victim);
  if (work.unitWork.params.batchSize !== 1 || chain.stopped !== undefined || chain.layers.length < 2) return [];
  const weights = Object.fromEntries(Object.entries(weightsOf(work.victim)).map(([name, { data }]) => [name, data]));
  const way = 'A4: layer by layer';
  try {
    const { image, notes } = recoverRecursively(chain, weights, given.tensors);
    return [await single(work, given, way, clipped(image), notes.join(' '))];
  } catch (thrown) {
    const { code, message } = toWorkbenchError(thrown);
    if (code !== 'MODEL_UNSUITABLE') throw thrown;
    return [{ way, count: 0, distance: null, note: message, images: [] }];
  }
}

/** One image, with the relative distance ‖g′ − g‖/‖g‖ of its gradient under the label that comes nearest. */
async function single(
  { victim, unitWork: { sharing } }: Work,
  given: SharedGradients,
  way: string,
  image: Float32Array<ArrayBuffer>,
  note: string,
): Promise<Found> {
  let distance = Infinity;
  for (let label = 0; label < Math.min(victim.classes, mostLabels); label++) {
    const { shared } = await sharing.share(float32([1, ...victim.shape], image), [label], weightsOf(victim));
    distance = Math.min(distance, relativeDistance(shared, given));
  }
  return { way, count: 1, distance: Number.isFinite(distance) ? distance : null, note, images: [image] };
}

/** Labels that are tried; more would take long. */
const mostLabels = 100;

function relativeDistance(own: SharedGradients, given: SharedGradients): number {
  let [gap, size] = [0, 0];
  for (const [name, { data }] of Object.entries(given.tensors)) {
    const other = own.tensors[name]?.data;
    data.forEach((value, i) => {
      gap += (value - (other?.[i] ?? 0)) ** 2;
      size += value * value;
    });
  }
  return Math.sqrt(gap / size);
}
