import type { Rng } from '../base/rng.ts';
import { affineTheta, type Theta } from '../data/augment.ts';

/** What one training image goes through: a view, and changes of single pixels before it. */
export interface Augmented {
  readonly theta: Theta;
  /** Changes the pixels [C, H, W] of one image in place, before the view is taken. */
  readonly pixels?: (image: Float32Array) => void;
}

/** Draws what happens to one image of height × width. */
type Augmentation = (rng: Rng, height: number, width: number) => Augmented;

const identity: Theta = [1, 0, 0, 0, 1, 0];

const scalings = [0.9, 0.75, 0.6] as const;
const directions = [
  [0.2, 0],
  [-0.2, 0],
  [0, 0.2],
  [0, -0.2],
] as const;
const degrees = Array.from({ length: 10 }, (_, i) => -90 + 20 * i);

/**
 * The transforms of the released ZSKD code (zskd.md section 4), one of the 106 at random for each image instead of all
 * of them at each step: identity (1), central scaling (3), shift by a fifth (4), rotation (10), mirror and transpose (3),
 * salt and pepper (1), noise (1), scale and shift (12), shift and rotate (40), scale and rotate (30), both noises (1).
 * What a view brings in from outside is black here; the release fills shifted borders with white.
 */
export const releaseAugmentation: Augmentation = (rng, height, width) => {
  const kind = rng.int(106);
  const scale = (): number => scalings[rng.int(3)]!;
  const shift = (): readonly [number, number] => directions[rng.int(4)]!;
  const angle = (): number => (degrees[rng.int(10)]! * Math.PI) / 180;
  const moved = (by: number, [right, down]: readonly [number, number], turned: number): Augmented => ({
    theta: affineTheta({ angle: turned, scale: by, shiftX: right * width, shiftY: down * height }, height, width),
  });
  if (kind < 1) return { theta: identity };
  if (kind < 4) return moved(scale(), [0, 0], 0);
  if (kind < 8) return moved(1, shift(), 0);
  if (kind < 18) return moved(1, [0, 0], angle());
  if (kind < 19) return { theta: [-1, 0, 0, 0, 1, 0] };
  if (kind < 20) return { theta: [1, 0, 0, 0, -1, 0] };
  if (kind < 21) return { theta: [0, 1, 0, 1, 0, 0] };
  if (kind < 22) return { theta: identity, pixels: (image) => pepper(rng, image) };
  if (kind < 23) return { theta: identity, pixels: (image) => blendNoise(rng, image) };
  if (kind < 35) return moved(scale(), shift(), 0);
  if (kind < 75) return moved(1, shift(), angle());
  if (kind < 105) return moved(scale(), [0, 0], angle());
  return {
    theta: identity,
    pixels: (image) => {
      pepper(rng, image);
      blendNoise(rng, image);
    },
  };
};

/** Four in a thousand pixels become 0 or 1, half each. */
function pepper(rng: Rng, image: Float32Array): void {
  for (let i = 0; i < image.length; i++) {
    const chance = rng.uniform();
    if (chance < 0.004) image[i] = chance < 0.002 ? 0 : 1;
  }
}

/** Three quarters of the image, one quarter of uniform noise. */
function blendNoise(rng: Rng, image: Float32Array): void {
  for (let i = 0; i < image.length; i++) image[i] = 0.75 * image[i]! + 0.25 * rng.uniform();
}
