import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stagesOf, type OutlineBlock } from './stages.ts';

const block = (stage: string, flops: number): OutlineBlock => {
  return { stage, name: 'conv', operators: ['Conv'], shape: ['N', 1], parameters: 10, flops };
};

describe('stages of a network', () => {
  it('gather what follows each other, and add it up', () => {
    const stages = stagesOf([block('stem', 1), block('body', 2), block('body', 3), block('stem', 4)]);
    assert.deepEqual(
      stages.map(({ name, blocks, parameters, flops }) => [name, blocks.length, parameters, flops]),
      [
        ['stem', 1, 10, 1],
        ['body', 2, 20, 5],
        ['stem', 1, 10, 4],
      ],
    );
    assert.deepEqual(stagesOf([]), []);
  });
});
