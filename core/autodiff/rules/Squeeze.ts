import { reshaping } from './reshaping-parts.ts';

export const Squeeze = reshaping('Squeeze');
