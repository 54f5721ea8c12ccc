import { reshaping } from './reshaping-parts.ts';

export const Flatten = reshaping('Flatten');
