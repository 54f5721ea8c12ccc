import { reshaping } from './reshaping-parts.ts';

export const Unsqueeze = reshaping('Unsqueeze');
