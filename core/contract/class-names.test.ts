import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { classNamesIn, classNamesInMetadata, classNamesInText } from './class-names.ts';
import { readLiteral } from './literal.ts';
import { ClassNames } from './run.ts';

const pets = ['cat', "dog's", 'traffic light'];

describe('names of classes', () => {
  const written: readonly (readonly [string, string])[] = [
    ['as Ultralytics writes them', `{0: 'cat', 1: "dog's", 2: 'traffic light'}`],
    ['as a JSON list', JSON.stringify(pets)],
    ['as a Python tuple', `('cat', 'dog\\'s', 'traffic light',)`],
    ['as JSON by number, in any order', '{"2": "traffic light", "0": "cat", "1": "dog\'s"}'],
    ['as numbers by name', '{"traffic light": 2, "cat": 0, "dog\'s": 1}'],
    ['as objects with a name', '[{"id": 0, "name": "cat"}, {"id": 1, "name": "dog\'s"}, {"name": "traffic light"}]'],
    ['under the key of Hugging Face', `{"id2label": {"0": "cat", "1": "dog's", "2": "traffic light"}, "x": 1}`],
    ['a line each', "cat\r\ndog's\r\n traffic light \n\n"],
    ['in numbered lines', "0 cat\n1 dog's\n2 traffic light"],
    ['in lines numbered from one', "1: cat\n2: dog's\n3: traffic light"],
    ['with escapes', String.raw`["c\u0061t", "dog\x27s", "traffic light"]`],
  ];
  for (const [how, text] of written) {
    it(`are read ${how}`, () => assert.deepEqual(classNamesInText(text), pets));
  }

  it('are found in the metadata of a file, under the keys that exporters use', () => {
    for (const key of ['names', 'class_names', 'classNames', 'labels', 'CLASSES']) {
      assert.deepEqual(classNamesInMetadata({ author: 'a, b', [key]: JSON.stringify(pets) }), pets, key);
    }
    assert.deepEqual(classNamesInMetadata({ classes: 'cat, dog, frog' }), ['cat', 'dog', 'frog']);
    assert.deepEqual(classNamesInMetadata({ config: `{"id2label": {"0": "a", "1": "b"}}` }), ['a', 'b']);
  });

  it('are what timm says that its synsets mean', () => {
    const config = {
      num_classes: 2,
      pretrained_cfg: { label_names: ['n1', 'n2'], label_descriptions: { n1: 'tench, Tinca tinca', n3: 'x' } },
    };
    assert.deepEqual(classNamesIn(config), ['tench, Tinca tinca', 'n2']);
  });

  const none: readonly (readonly [string, string])[] = [
    ['one word', 'cat'],
    ['a number', '1000'],
    ['what Hugging Face writes where there are none', '{"0": "LABEL_0", "1": "LABEL_1"}'],
    ['a gap in the numbers', '{0: "a", 2: "b"}'],
    ['an empty one', '["a", ""]'],
    ['what is no text', '["a", 3]'],
    ['a list that does not end', '["a", "b"'],
    ['code', '__import__("os").system("x")'],
    ['a deep nest', `${'['.repeat(5000)}${']'.repeat(5000)}`],
  ];
  for (const [what, text] of none) {
    it(`are not taken from ${what}`, () => assert.equal(classNamesInText(text), undefined));
  }

  it('have no signs that cannot be seen, and an end', () => {
    const [first, second] = classNamesInText(JSON.stringify(['a\u202E\nb\u0007', 'x'.repeat(5000)])) ?? [];
    assert.deepEqual([first, second?.length], ['a b', 200]);
    assert.deepEqual(classNamesInText('{"__proto__": 0, "constructor": 1}'), ['__proto__', 'constructor']);
  });

  it('are what the contract takes, or none, whatever the text', () => {
    const signs = fc.constantFrom(...'{}[]()\'":,\\ \n0123ab'.split(''));
    const texts = fc.oneof(fc.string(), fc.string({ unit: signs, maxLength: 40 }), fc.json());
    fc.assert(
      fc.property(texts, (text) => {
        for (const names of [classNamesInText(text), classNamesInMetadata({ names: text })]) {
          assert.ok(names === undefined || ClassNames.safeParse(names).success);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a literal', () => {
  it('is read as JSON reads it', () => {
    const plain = (value: unknown): unknown =>
      value instanceof Map
        ? Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
        : Array.isArray(value)
          ? value.map(plain)
          : value;
    const json = fc.jsonValue({ maxDepth: 5 });
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(plain(readLiteral(text)), JSON.parse(text));
      }),
    );
  });
});
