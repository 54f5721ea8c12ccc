import { differentiable } from '../rule.ts';
import { numbersOf, product, upTo } from './node-parts.ts';
import { padOrCrop } from './place-parts.ts';

/**
 * X [N, C·Πblock, L] holds L blocks of an image that add up in Y [N, C, image…]: each element of X takes the cotangent of
 * the pixel that it was added to, 0 in the padding.
 */
export const Col2Im = differentiable('Col2Im', ({ node, x: [X, imageShape, blockShape], dY: [dY], g }) => {
  const [image, block] = [numbersOf(imageShape), numbersOf(blockShape)];
  if (!X || !dY || !image || !block) return [];
  const [strides, dilations] = ['strides', 'dilations'].map((name) => node.attr.ints(name));
  const pads = node.attr.ints('pads') ?? image.flatMap(() => [0, 0]);
  const [begins, ends] = [pads.slice(0, image.length), pads.slice(image.length)];
  const padded = padOrCrop(g, dY, [0, 0, ...begins], [0, 0, ...ends]);
  const axes = image.map((size, i) => {
    const [kernel, stride, dilation] = [block[i] ?? 1, strides?.[i] ?? 1, dilations?.[i] ?? 1];
    const free = size + (begins[i] ?? 0) + (ends[i] ?? 0) - (kernel - 1) * dilation - 1;
    return { stride, dilation, count: Math.floor(free / stride) + 1 };
  });
  const [n = 1, channels = 1] = dY.shape;
  const places = product(axes.map(({ count }) => count));
  const taps = upTo(product(block)).map((tap) => {
    const starts = axes.map(({ dilation }, i) => {
      const below = product(block.slice(i + 1));
      return (Math.floor(tap / below) % (block[i] ?? 1)) * dilation;
    });
    const read = g.slice(
      padded,
      axes.map((_, i) => i + 2),
      starts,
      axes.map(({ stride, count }, i) => (starts[i] ?? 0) + (count - 1) * stride + 1),
      axes.map(({ stride }) => stride),
    );
    return g.reshape(read, [n, channels, 1, places]);
  });
  return [g.reshape(g.concat(taps, 2), X.shape)];
});
