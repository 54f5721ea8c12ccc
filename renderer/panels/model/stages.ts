import type { ModelInspection } from '../../../core/contract/inspection.ts';

export type OutlineBlock = NonNullable<ModelInspection['classifier']>['outline'][number];

export interface Stage {
  readonly name: string;
  readonly blocks: readonly OutlineBlock[];
  readonly parameters: number;
  readonly flops: number;
}

/** Blocks that follow each other in one part of the network, added up. */
export function stagesOf(blocks: readonly OutlineBlock[]): readonly Stage[] {
  const stages: { name: string; blocks: OutlineBlock[] }[] = [];
  for (const block of blocks) {
    const last = stages.at(-1);
    if (last && last.name === block.stage) last.blocks.push(block);
    else stages.push({ name: block.stage, blocks: [block] });
  }
  return stages.map((stage) => ({
    ...stage,
    parameters: stage.blocks.reduce((sum, { parameters }) => sum + parameters, 0),
    flops: stage.blocks.reduce((sum, { flops }) => sum + flops, 0),
  }));
}
