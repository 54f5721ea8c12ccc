import { extremum } from './extremum-parts.ts';

export const Min = extremum('Min');
