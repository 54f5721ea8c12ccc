import { reshaping } from './reshaping-parts.ts';

export const Reshape = reshaping('Reshape');
