import { implement, type Implementation } from './attack.ts';
import { carliniWagner, elasticNet } from './catalogue-minimal.ts';
import { searchConstant } from './constant-search.ts';

/** Keeps atanh finite at the edges of the box: half a millionth of its width away from them. */
const inside = 0.999999;

/** Carlini & Wagner's L2 attack and its elastic-net relative, which share the search for the constant. */
export const constantAttacks: readonly Implementation[] = [
  implement(carliniWagner, (task, options) => {
    const [low, high] = task.victim.bounds;
    const [middle, half] = [(low + high) / 2, (high - low) / 2];
    return searchConstant(task, options, {
      attack: 'carlini-wagner',
      sparsity: 0,
      start: { w: task.images.map((value) => Math.atanh(inside * ((value - middle) / half))) },
      scalarsAt: (step) => [options.learningRate / (1 - 0.9 ** (step + 1)), 1 / (1 - 0.999 ** (step + 1))],
    });
  }),
  implement(elasticNet, (task, options) =>
    searchConstant(task, options, {
      attack: 'ead',
      sparsity: options.sparsity,
      start: { x: task.images, y: task.images },
      scalarsAt: (step) => [options.learningRate * Math.sqrt(1 - step / options.steps), step / (step + 3)],
    }),
  ),
];
