import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { float32 } from '../base/tensor.ts';
import { loadModel, readModel } from './read.ts';
import { bytesOf, relu, typed, withTensor } from './testing/model-bytes.ts';

const teacher = join(import.meta.dirname, 'testdata/lenet5-half-mnist.onnx');

describe('a model file that cannot be read', () => {
  const refused: readonly (readonly [title: string, bytes: Uint8Array, message: RegExp])[] = [
    ['is empty', new Uint8Array(), /an empty file/],
    ['is text', new TextEncoder().encode('This is not a model at all.'), /got something else/],
    ['is a zip archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), /a zip archive/],
    ['is a file of onnxruntime’s own', Uint8Array.of(32, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d), /onnxruntime’s own format/],
    ['has no graph', bytesOf({}, { graph: undefined }), /a graph that has outputs/],
    ['has no operator set', bytesOf({}, { opsetImport: [] }), /version of the operator set/],
    ['defines a value twice', bytesOf({ node: [relu, { ...relu, name: 's' }] }), /defined once, got y twice/],
    ['reads what nothing makes', bytesOf({ node: [{ ...relu, input: ['z'] }] }), /found no source for z/],
    ['returns what nothing makes', bytesOf({ output: [typed('q')] }), /found no source for q/],
    [
      'goes in circles',
      bytesOf({
        node: [
          { opType: 'Add', input: ['x', 'y'], output: ['h'] },
          { ...relu, input: ['h'] },
        ],
      }),
      /without cycles/,
    ],
    [
      'has too few raw bytes',
      withTensor({ dims: [2n, 2n], dataType: 1, rawData: new Uint8Array(12) }),
      /expected 16 bytes for tensor w .*got 12/,
    ],
    [
      'has too few elements',
      withTensor({ dims: [3n], dataType: 1, floatData: [1, 2] }),
      /expected 3 elements for tensor w .*got 2/,
    ],
    ['has no elements', withTensor({ dims: [3n], dataType: 7 }), /expected 3 elements for tensor w .*got 0/],
    ['has a negative shape', withTensor({ dims: [-3n], dataType: 1 }), /sizes ≥ 0 for tensor w, got \[-3\]/],
    ['has a gigantic shape', withTensor({ dims: [2n ** 40n, 2n ** 40n], dataType: 1 }), /sizes ≥ 0 for tensor w/],
    [
      'calls a function that calls itself',
      bytesOf(
        { node: [{ opType: 'F', domain: 'd', input: ['x'], output: ['y'] }] },
        {
          functions: [
            {
              name: 'F',
              domain: 'd',
              input: ['a'],
              output: ['b'],
              node: [{ opType: 'F', domain: 'd', input: ['a'], output: ['b'] }],
            },
          ],
        },
      ),
      /functions without recursion, got F/,
    ],
  ];
  for (const [title, bytes, message] of refused) {
    it(`is refused when it ${title}`, () => {
      assert.throws(
        () => readModel(bytes),
        (error: { code: string; message: string; hint: string }) => {
          assert.equal(error.code, 'MODEL_UNREADABLE');
          assert.match(error.message, message);
          assert.ok(error.hint.length > 0);
          return true;
        },
      );
    });
  }

  it('is refused wherever it was cut off', () => {
    const whole = readFileSync(teacher);
    for (let length = 1; length < whole.length; length += 577) {
      assert.throws(
        () => readModel(whole.subarray(0, length)),
        { code: 'MODEL_UNREADABLE' },
        `cut after ${length} bytes`,
      );
    }
  });

  it('is refused with the types that cannot be computed with, all named', () => {
    const graph = {
      node: [{ opType: 'Sum', input: ['x', 'v', 'w'], output: ['y'] }],
      initializer: [
        { name: 'v', dims: [1n], dataType: 16, rawData: new Uint8Array(2) },
        { name: 'w', dims: [1n], dataType: 17, rawData: new Uint8Array(1) },
      ],
    };
    assert.throws(() => readModel(bytesOf(graph)), {
      code: 'OP_UNSUPPORTED',
      message: /v \(bfloat16\), w \(float8e4m3fn\)/,
    });
  });
});

describe('a model path', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'palimpsest-read-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('is refused and named when there is nothing or a directory', async () => {
    await assert.rejects(loadModel(join(folder, 'none.onnx')), {
      code: 'MODEL_UNREADABLE',
      message: /none\.onnx: .*found nothing/,
    });
    await assert.rejects(loadModel(folder), { code: 'MODEL_UNREADABLE', message: /got a directory/ });
    writeFileSync(join(folder, 'empty.onnx'), '');
    await assert.rejects(loadModel(join(folder, 'empty.onnx')), {
      code: 'MODEL_UNREADABLE',
      message: /empty\.onnx: .*an empty file/,
    });
  });

  const external = (location: string, more: readonly { key: string; value: string }[] = []): Uint8Array =>
    withTensor({
      dims: [2n],
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: 'location', value: location }, ...more],
    });

  function load(bytes: Uint8Array) {
    const path = join(folder, 'model.onnx');
    writeFileSync(path, bytes);
    return loadModel(path);
  }

  it('reads data that stands in a file beside the model, from its offset', async () => {
    mkdirSync(join(folder, 'data'), { recursive: true });
    writeFileSync(join(folder, 'data/weights.bin'), new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer));
    const model = await load(
      external('data/weights.bin', [
        { key: 'offset', value: '4' },
        { key: 'length', value: '8' },
      ]),
    );
    assert.deepEqual(model.graph.initializers.get('w'), float32([2], [1, 2]));
  });

  it('opens no data outside the folder of the model and follows no link', async () => {
    writeFileSync(join(folder, 'plain.bin'), new Uint8Array(8));
    symlinkSync(join(folder, 'plain.bin'), join(folder, 'link.bin'));
    const refused: readonly (readonly [string, RegExp])[] = [
      ['/etc/hostname', /next to the model/],
      ['../plain.bin', /next to the model/],
      ['a/../../plain.bin', /next to the model/],
      ['C:\\plain.bin', /next to the model/],
      ['', /next to the model/],
      ['link.bin', /not a link/],
      ['.', /next to the model/],
      ['missing.bin', /found none/],
    ];
    for (const [location, message] of refused) {
      await assert.rejects(load(external(location)), { code: 'MODEL_UNREADABLE', message }, location);
    }
  });

  it('checks length and offset of data beside the model', async () => {
    writeFileSync(join(folder, 'short.bin'), new Uint8Array(6));
    await assert.rejects(load(external('short.bin')), { message: /expected 8 bytes in "short\.bin" for w, got 6/ });
    await assert.rejects(load(external('short.bin', [{ key: 'length', value: '4' }])), {
      message: /expected 8 bytes of external data for w, got 4/,
    });
    await assert.rejects(load(external('short.bin', [{ key: 'offset', value: '-4' }])), {
      message: /whole number, got "-4"/,
    });
  });

  it('is needed when a model has data outside itself', () => {
    assert.throws(() => readModel(external('weights.bin')), {
      code: 'MODEL_UNREADABLE',
      message: /all data inside the file/,
    });
  });
});
