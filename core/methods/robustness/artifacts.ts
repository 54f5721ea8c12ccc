import { pngGrid } from '../../data/write.ts';
import type { Flips } from '../../metrics/severity/flips.ts';
import type { MethodEvent } from '../context.ts';
import type { Stage } from './groups.ts';

type Shape = readonly [number, number, number];

/** White is no change, orange adds, blue takes away; `span` is the change of full colour. [C, H, W] → [3, H, W] */
function divergingMap(delta: Float32Array, [channels, height, width]: Shape, span: number): Float32Array {
  const area = height * width;
  const ends = { more: [0.76, 0.31, 0], less: [0, 0.4, 0.64] } as const;
  const map = new Float32Array(3 * area);
  for (let p = 0; p < area; p++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += delta[c * area + p]!;
    const share = Math.max(-1, Math.min(1, sum / channels / span));
    const end = share > 0 ? ends.more : ends.less;
    for (let c = 0; c < 3; c++) map[c * area + p] = 1 + (end[c]! - 1) * Math.abs(share);
  }
  return map;
}

/** [C, H, W] in the bounds → [3, H, W] in [0, 1]; of images that are neither grey nor colour the first channel. */
function asColour(image: Float32Array, [channels, height, width]: Shape, [low, high]: Bounds): Float32Array {
  const area = height * width;
  return Float32Array.from({ length: 3 * area }, (_, at) => {
    const channel = channels === 3 ? Math.floor(at / area) : 0;
    return (image[channel * area + (at % area)]! - low) / (high - low);
  });
}

type Bounds = readonly [number, number];

/** An image is magnified to about so many pixels. */
const shownPixels = 84;
const perturbationPixels = 112;

export interface Triplet {
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  readonly note: string;
}

/** Rows of clean image, perturbation and adversarial image; the largest change of them all has the full colour. */
export async function tripletGrid(
  triplets: readonly Triplet[],
  shape: Shape,
  bounds: Bounds,
  about = { name: 'gallery', title: 'Clean image, perturbation, adversarial image' },
): Promise<{ readonly event: MethodEvent; readonly magnified: number }> {
  const span = triplets.reduce((most, { clean, adversarial }) => {
    const row = adversarial.reduce((top, value, p) => Math.max(top, Math.abs(value - clean[p]!)), 0);
    return Math.max(most, row);
  }, 1e-6);
  const [, height, width] = shape;
  const cell = 3 * height * width;
  const grid = new Float32Array(triplets.length * 3 * cell);
  triplets.forEach(({ clean, adversarial }, row) => {
    const delta = adversarial.map((value, p) => value - clean[p]!);
    grid.set(asColour(clean, shape, bounds), 3 * row * cell);
    grid.set(divergingMap(delta, shape, span), (3 * row + 1) * cell);
    grid.set(asColour(adversarial, shape, bounds), (3 * row + 2) * cell);
  });
  const bytes = await pngGrid(grid, [3 * triplets.length, 3, height, width], {
    columns: 3,
    scale: Math.max(1, Math.round(shownPixels / Math.max(height, width))),
    gap: 4,
    ground: 'transparent',
  });
  const magnified = Number(((bounds[1] - bounds[0]) / span).toPrecision(2));
  return {
    magnified,
    event: {
      type: 'artifact',
      ...about,
      content: { bytes, mediaType: 'image/png' },
      meta: {
        rows: triplets.map(({ note }) => note.split('\n')[0]),
        columns: ['clean', `× ${magnified}`, 'adversarial'],
      },
    },
  };
}

/** Universal perturbations as pictures, beside each other. */
export async function universalGrid(
  perturbations: readonly Float32Array[],
  titles: readonly string[],
  shape: Shape,
  epsilon: number,
  [low, high]: Bounds,
): Promise<{ readonly event: MethodEvent; readonly magnified: number }> {
  const [, height, width] = shape;
  const grid = new Float32Array(perturbations.length * 3 * height * width);
  perturbations.forEach((v, i) => grid.set(divergingMap(v, shape, epsilon), i * 3 * height * width));
  const bytes = await pngGrid(grid, [perturbations.length, 3, height, width], {
    columns: perturbations.length,
    scale: Math.max(1, Math.round(perturbationPixels / Math.max(height, width))),
    gap: 4,
    ground: 'transparent',
  });
  return {
    magnified: Number(((high - low) / epsilon).toPrecision(2)),
    event: {
      type: 'artifact',
      name: 'universal-grid',
      title: 'Universal perturbations',
      content: { bytes, mediaType: 'image/png' },
      meta: { columns: [...titles] },
    },
  };
}

export interface GalleryInput {
  readonly worst: readonly (Stage | undefined)[];
  readonly flips: Flips;
  /** d(old, new) of each image. */
  readonly distances: Float64Array;
  /** Clean images of these places [n, C, H, W]. */
  readonly clean: (places: readonly number[]) => Promise<Float32Array>;
  readonly classNames: readonly string[];
}

/** The `each` most and the `each` least severe fooled images of the worst case. */
export async function galleryTriplets(
  { worst, flips, distances, clean, classNames }: GalleryInput,
  each = 5,
): Promise<Triplet[]> {
  const fooled = worst.flatMap((stage, i) => (stage ? [{ i, stage }] : []));
  const sorted = fooled.toSorted((a, b) => distances[b.i]! - distances[a.i]! || a.i - b.i);
  const chosen = sorted.length <= 2 * each ? sorted : [...sorted.slice(0, each), ...sorted.slice(-each)];
  const images = await clean(chosen.map(({ i }) => i));
  const size = images.length / chosen.length;
  return chosen.flatMap(({ i, stage }, at) => {
    const adversarial = stage.adversarial(i);
    if (!adversarial) return [];
    const [old, after] = [classNames[flips.before[i]!] ?? '', classNames[flips.after[i]!] ?? ''];
    const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
    return {
      clean: images.subarray(at * size, (at + 1) * size),
      adversarial,
      note: [
        `${old} → ${after}, ${stage.title}`,
        `confidence in ${old} ${share(flips.oldConfidenceBefore[i]!)} → ${share(flips.oldConfidence[i]!)}; in ${after} now ${share(flips.newConfidence[i]!)}`,
        `rank of ${old} 1 → ${flips.oldRank[i]!}; of ${after} ${flips.newRank[i]!} → 1; distance ${distances[i]!.toFixed(2)}`,
      ].join('\n'),
    };
  });
}
