import { reduction, shareAmongTies } from './reduce-parts.ts';

export const ReduceMax = reduction('ReduceMax', shareAmongTies);
