import { above, unary } from './unary-parts.ts';

/** The slope at 0 is 0, as in PyTorch. The mask comes from Y, so that X need not be kept. */
export const Relu = unary('Relu', ({ y, dY, g }) => g.mul(dY, above(g, y)));
