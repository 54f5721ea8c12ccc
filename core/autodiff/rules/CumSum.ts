import { flag } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';

/** The cumulative sum from the other side. */
export const CumSum = differentiable('CumSum', ({ node, x: [, axis], dY: [dY], g }) =>
  dY
    ? [
        emit(g, 'CumSum', [dY, axis], {
          exclusive: flag(node.attr.flag('exclusive')),
          reverse: flag(!node.attr.flag('reverse')),
        }),
      ]
    : [],
);
