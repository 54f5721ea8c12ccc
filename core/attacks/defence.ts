import { type Rng, stream } from '../base/rng.ts';
import { float32, sizeOf, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { affineView, logOf, type Look } from './look.ts';

/**
 * What stands before the model and draws anew at each look:
 * - `noise`: normal noise of this deviation on every pixel (Cohen, Rosenfeld, Kolter 2019, “Certified adversarial robustness
 *   via randomized smoothing”, without the certificate)
 * - `resize`: the image shrunk by a random factor, at a random place before a border of zeros (Xie, Wang, Zhang, Ren, Yuille
 *   2018, “Mitigating adversarial effects through randomization”, in the model's own size)
 */
export type DefenceKind =
  | { readonly kind: 'noise'; /** In the units of the bounds. */ readonly deviation: number }
  | { readonly kind: 'resize'; /** Smallest factor, in (0, 1]. */ readonly smallest: number };

/**
 * A defence and how often it is looked through: answers are those of the mean probability over `looks` draws, gradients of
 * losses are averages over as many (expectation over transformation, Athalye et al. 2018). The draws by which answers are
 * judged are others than those by which attacks are made.
 */
export type RandomDefence = DefenceKind & { readonly looks: number; readonly seed: number };

/** Shape of one draw: [C, H, W] of noise, or theta [2, 3]. */
export const drawShape = ({ kind }: DefenceKind, image: readonly [number, number, number]): readonly number[] =>
  kind === 'noise' ? image : [2, 3];

function fillDraw(defence: DefenceKind, rng: Rng, row: Float32Array): void {
  if (defence.kind === 'noise') {
    for (let i = 0; i < row.length; i++) row[i] = defence.deviation * rng.normal();
    return;
  }
  const scale = defence.smallest + (1 - defence.smallest) * rng.uniform();
  // How far from the middle, in the units of a grid from −1 to 1: as far as there is room.
  const [down, right] = [(2 * rng.uniform() - 1) * (1 - scale), (2 * rng.uniform() - 1) * (1 - scale)];
  row.set([1 / scale, 0, -right / scale, 0, 1 / scale, -down / scale]);
}

/** Draws of `count` steps [count, looks, …]: the same for all images, and of their own for each name and step from `first`. */
export function drawsOf(
  defence: RandomDefence,
  image: readonly [number, number, number],
  name: 'judge' | 'attack',
  first: number,
  count: number,
): Tensor {
  const shape = drawShape(defence, image);
  const size = sizeOf(shape);
  const data = new Float32Array(count * defence.looks * size);
  for (let k = 0; k < count; k++) {
    const rng = stream(defence.seed, 'defence', name, first + k);
    for (let look = 0; look < defence.looks; look++) {
      const from = (k * defence.looks + look) * size;
      fillDraw(defence, rng, data.subarray(from, from + size));
    }
  }
  return float32([count, defence.looks, ...shape], data);
}

/** The model behind the defence, with these draws [looks, …]. */
export function defendedLook(look: Look, defence: RandomDefence, draws: Value): Look {
  const many = (g: GraphBuilder, images: Value): Value => {
    const [batch = 1, ...image] = images.shape;
    const all = [defence.looks, batch, ...image];
    const rows = [defence.looks * batch, ...image];
    const one = g.reshape(images, [1, batch, ...image]);
    if (defence.kind === 'noise') {
      return look(g, g.reshape(g.add(one, g.reshape(draws, [defence.looks, 1, ...image])), rows));
    }
    const thetas = g.expand(g.reshape(draws, [defence.looks, 1, 2, 3]), [defence.looks, batch, 2, 3]);
    const view = affineView(g, g.reshape(g.expand(one, all), rows), g.reshape(thetas, [rows[0] ?? 1, 2, 3]));
    return look(g, view);
  };
  const answer = (g: GraphBuilder, images: Value): Value => {
    const logits = many(g, images);
    const classes = logits.shape[1] ?? 1;
    const probabilities = g.reshape(g.softmax(logits, 1), [defence.looks, images.shape[0] ?? 1, classes]);
    return logOf(g, g.reduceMean(probabilities, [0]));
  };
  return Object.assign(answer, { members: [many] });
}
