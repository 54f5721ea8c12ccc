import { unary } from './unary-parts.ts';

export const Identity = unary('Identity', ({ dY }) => dY);
