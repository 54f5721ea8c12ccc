import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32 } from '../base/tensor.ts';
import { GraphBuilder } from './builder.ts';
import { inlineGraph } from './inline.ts';

/** Batch normalisation as an exporter in training mode writes it: with the batch's statistics and two more outputs. */
function trainingFile() {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2, 3, 4, 4]);
  const of = (part: string, value: number) => g.constant(float32([3], [value, value, value]), part);
  const inputs = [x, of('scale', 1), of('bias', 0), of('mean', 2), of('variance', 4)];
  const [y] = g.op('BatchNormalization', inputs, { training_mode: { type: 'int', value: 1 } }, { outputs: 3 });
  g.output('y', y ?? assert.fail());
  return g.build('moody');
}

describe('a graph put into another', () => {
  for (const mode of ['inference', 'training'] as const) {
    it(`normalises by ${mode === 'inference' ? 'its running statistics' : 'the batch'} in ${mode} mode, whatever the file says`, () => {
      const g = new GraphBuilder();
      const { outputs, batchStatistics } = inlineGraph(g, trainingFile(), {
        inputs: { x: g.input('images', 'float32', [5, 3, 4, 4]) },
        mode,
      });
      g.output('y', outputs['y'] ?? assert.fail());
      const [node] = g.build('host').nodes.filter(({ op }) => op === 'BatchNormalization');
      assert.equal(node?.attributes['training_mode']?.value ?? 0, mode === 'training' ? 1 : 0);
      assert.equal(batchStatistics.length, mode === 'training' ? 1 : 0);
      assert.deepEqual(outputs['y']?.shape, [5, 3, 4, 4]);
    });
  }

  it('says why dropout with a computed ratio cannot be trained, and passes it on at inference', () => {
    const file = new GraphBuilder();
    const [x, ratio] = [file.input('x', 'float32', [2]), file.input('ratio', 'float32', [])];
    file.output('y', file.op('Dropout', [x, ratio])[0] ?? assert.fail());
    const graph = file.build('file');
    const into = (mode: 'inference' | 'training') => {
      const g = new GraphBuilder();
      const inputs = { x: g.input('images', 'float32', [2]), ratio: g.input('share', 'float32', []) };
      return { inputs, ...inlineGraph(g, graph, { inputs, mode }) };
    };
    const { inputs, outputs } = into('inference');
    assert.equal(outputs['y'], inputs.x);
    assert.throws(() => into('training'), { code: 'OP_UNSUPPORTED', message: /expected a known ratio to train with/ });
  });
});
