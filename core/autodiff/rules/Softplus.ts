import { unary } from './unary-parts.ts';

export const Softplus = unary('Softplus', ({ x, dY, g }) => g.mul(dY, g.sigmoid(x)));
