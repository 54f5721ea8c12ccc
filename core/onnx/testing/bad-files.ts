import type { BadFile } from './bad-files/bad-file.ts';
import { graphFiles } from './bad-files/graph.ts';
import { tensorFiles } from './bad-files/tensor.ts';
import { wireFiles } from './bad-files/wire.ts';

/** Hand-made files, each of which breaks one rule of docs/hostile-files.md. Those with files beside them: external.ts. */
export const badFiles: readonly BadFile[] = [...wireFiles, ...graphFiles, ...tensorFiles];
