import { reduction, shareAmongTies } from './reduce-parts.ts';

export const ReduceMin = reduction('ReduceMin', shareAmongTies);
