import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaintsAbout, formatComplaint, withoutWords } from './house-rules.ts';

const about = (path: string, text: string): string[] => complaintsAbout([{ path, text }]).map(formatComplaint);

/** [file, text, what the complaint says] */
const broken: readonly (readonly [path: string, text: string, complaint: RegExp])[] = [
  ['cli/a.ts', "const folder = '/home/me/data';", /^cli\/a\.ts:1 names a folder of one machine/],
  ['README.md', 'Look in\n(/work/main).', /^README\.md:2 names a folder/],
  ['docs/a.md', 'from registry.npmjs.org', /names a registry host/],
  ['cli/a.ts', '// TODO later', /without an issue number/],
  ['cli/a.ts', '// @ts-ignore', /silences the compiler/],
  ['cli/a.ts', '// oxlint-disable-next-line no-console', /silences the linter without a reason/],
  ['cli/a.test.ts', "it.only('adds', () => {});", /narrows or skips/],
  ['cli/a.test.ts', "describe.skip('adds', () => {});", /narrows or skips/],
  ['cli/a.test.ts', "it('adds', { skip: true }, () => {});", /skips a test/],
  ['cli/a.ts', 'const x = find()!;', /asserts non-null/],
  ['cli/a.ts', 'const x = y.z!.length;', /asserts non-null/],
  ['cli/a.ts', 'export enum Colour {}', /declares an enum/],
  ['cli/utils.ts', '', /named after nothing/],
  ['core/train/index.ts', '', /barrel file/],
  ['cli/a.ts', 'x;\n'.repeat(401), /has 401 lines, expected at most 400/],
];

const fine: readonly (readonly [path: string, text: string])[] = [
  ['cli/a.ts', "const url = 'https://example.org/work/of/art';"],
  ['cli/a.ts', '// TODO (#12) later'],
  ['cli/a.ts', '// oxlint-disable-next-line no-console -- the report is what this program prints'],
  ['cli/a.gpu.test.ts', "it('adds', { skip: 'no GPU here' }, () => {});"],
  ['core/base/a.ts', 'const x = a[i]! + a[j]![k]!;'],
  ['cli/a.ts', "const x = y != z && y !== z && !y; // done! ok!;\nsay('wow!');\nsay(`really!\nyes!`);"],
  ['core/autodiff/rules/index.ts', ''],
  ['core/onnx/onnx.generated.ts', 'enum X {}\n'.repeat(500)],
  ['cli/a.ts', 'x;\n'.repeat(400)],
];

describe('the rules of the house', () => {
  const inFolderWithReadme = (path: string, text: string): string[] => {
    const folder = path.split('/').slice(0, 2).join('/');
    return complaintsAbout([
      { path, text },
      { path: `${folder}/README.md`, text: '# Folder\n' },
    ]).map(formatComplaint);
  };
  for (const [path, text, complaint] of broken) {
    it(`complain about ${path}: ${text.slice(0, 40).split('\n')[0]}`, () => {
      const found = inFolderWithReadme(path, text);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] ?? '', complaint);
    });
  }
  for (const [path, text] of fine) {
    it(`accept ${path}: ${text.slice(0, 40).split('\n')[0]}`, () => {
      assert.deepEqual(inFolderWithReadme(path, text), []);
    });
  }
  it('ask for a README.md in each folder of core that holds code, of at most 30 lines', () => {
    assert.deepEqual(about('core/train/sgd.ts', ''), [
      'core/train has no README.md: purpose, entry points, how to add one',
    ]);
    const long = { path: 'core/train/README.md', text: 'x\n'.repeat(31) };
    assert.deepEqual(complaintsAbout([{ path: 'core/train/sgd.ts', text: '' }, long]).map(formatComplaint), [
      'core/train/README.md has 31 lines, expected at most 30',
    ]);
  });
});

describe('withoutWords', () => {
  it('blanks comments and quotes and keeps every line where it was', () => {
    const text = "a; // b\n/* c\nd */ e('f\\'g');\n";
    assert.equal(withoutWords(text), `a;${' '.repeat(5)}\n    \n     e(${' '.repeat(6)});\n`);
  });
});
