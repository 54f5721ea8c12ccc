import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { modelWordsOf, noModelWords, readModelWords } from './model-words.ts';

describe('what is said about a model file in a form', () => {
  it('is nothing at first', () => {
    assert.deepEqual(readModelWords(noModelWords), { given: {}, problems: {} });
  });

  it('comes back from the request as it was written', () => {
    const words = {
      mean: '0.485, 0.456, 0.406',
      std: '0.229, 0.224, 0.225',
      dims: 'height=224, image.3=224',
      classes: 'cat,dog',
    };
    const { given, problems } = readModelWords(words);
    assert.deepEqual(problems, {});
    assert.deepEqual(given.classNames, ['cat', 'dog']);
    assert.deepEqual(given.dims, { height: 224, 'image.3': 224 });
    assert.deepEqual(modelWordsOf({ kind: 'file', path: 'x.onnx', ...given }), words);
    assert.deepEqual(modelWordsOf({ kind: 'zoo', architecture: 'mlp' }), noModelWords);
  });

  it('is refused part by part', () => {
    const problemsOf = (words: Partial<typeof noModelWords>) => readModelWords({ ...noModelWords, ...words }).problems;
    assert.match(problemsOf({ mean: 'grey', std: '1' }).mean ?? '', /got "grey"/);
    assert.match(problemsOf({ mean: '0', std: '0' }).std ?? '', /above 0/);
    assert.match(problemsOf({ mean: '0.5' }).std ?? '', /together/);
    assert.match(problemsOf({ classes: '["a"' }).classes ?? '', /JSON list/);
    assert.match(problemsOf({ dims: 'height' }).dims ?? '', /NAME=SIZE/);
    assert.match(problemsOf({ dims: 'height=0' }).dims ?? '', /NAME=SIZE/);
  });
});
