import { extremum } from './extremum-parts.ts';

export const Max = extremum('Max');
