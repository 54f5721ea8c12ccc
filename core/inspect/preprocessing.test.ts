import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { float32 } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { findPreprocessingFiles } from './preprocessing-files.ts';
import { readPreprocessing, type Preprocessing } from './preprocessing.ts';
import { tinyModel } from './testing/tiny-models.ts';

type Plain = Partial<Record<keyof Preprocessing, unknown>>;

/** What was found, without where. */
function factsOf(json: unknown, metadata: Readonly<Record<string, string>> = {}): Plain {
  const sources = json === undefined ? [] : [{ name: 'a.json', json }];
  const { preprocessing } = readPreprocessing(sources, metadata, undefined);
  return Object.fromEntries(
    Object.entries(preprocessing).flatMap(([key, fact]) =>
      typeof fact === 'object' && fact !== null && 'value' in fact ? [[key, fact.value]] : [],
    ),
  );
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

describe('pre-processing from a settings file', () => {
  it('of a Hugging Face processor: normalisation, size of the crop, filter', () => {
    const json = {
      do_resize: true,
      size: { shortest_edge: 256 },
      resample: 3,
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      do_rescale: true,
      rescale_factor: 0.00392156862745098,
      do_normalize: true,
      image_mean: imagenet.mean,
      image_std: imagenet.std,
    };
    assert.deepEqual(factsOf(json), {
      ...imagenet,
      size: [224, 224],
      cropFraction: 0.875,
      interpolation: 'bicubic',
    });
  });

  const scaled: readonly (readonly [string, object, object])[] = [
    [
      'to [−1, 1] with an offset',
      { rescale_factor: 1 / 127.5, rescale_offset: true, do_normalize: false, size: 331 },
      { mean: [0.5], std: [0.5], size: [331, 331] },
    ],
    ['not at all', { do_rescale: false, do_normalize: false }, { mean: [0], std: [0.00392156862745] }],
    ['to [0, 1] only', { do_rescale: true, do_normalize: false }, { mean: [0], std: [1] }],
    ['without saying by what', { do_normalize: true }, {}],
  ];
  for (const [name, json, expected] of scaled) {
    it(`of a processor that scales pixels ${name}`, () => assert.deepEqual(factsOf(json), expected));
  }

  it('of timm, at the top or inside', () => {
    const timm = { ...imagenet, input_size: [3, 160, 192], interpolation: 'bicubic', crop_pct: 0.95 };
    const expected = { ...imagenet, size: [160, 192], interpolation: 'bicubic', cropFraction: 0.95 };
    assert.deepEqual(factsOf({ architecture: 'resnet18', pretrained_cfg: timm }), expected);
    assert.deepEqual(factsOf(timm), expected);
  });

  it('passes over what is not as it should be', () => {
    for (const json of [null, 3, 'x', [], { mean: 'x', std: {}, size: -1, pretrained_cfg: 5, resample: 99 }]) {
      assert.deepEqual(factsOf(json), {});
    }
  });
});

describe('pre-processing from the metadata of the model', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, Plain])[] = [
    ['lists', { mean: '[0.5, 0.4, 0.3]', std: '0.1, 0.2 0.3' }, { mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.3] }],
    ['one number for all channels', { image_mean: '0.1307', image_std: '0.3081' }, { mean: [0.1307], std: [0.3081] }],
    [
      'sizes with channels',
      { input_size: '(3, 224, 256)', interpolation: 'bilinear' },
      { size: [224, 256], interpolation: 'bilinear' },
    ],
    ['one side', { imgsz: '320', crop_pct: '0.9' }, { size: [320, 320], cropFraction: 0.9 }],
    [
      'a processor as JSON',
      { preprocessor_config: JSON.stringify({ image_mean: [0], image_std: [2], size: 28 }) },
      { mean: [0], std: [2], size: [28, 28] },
    ],
    [
      'the key of this workbench',
      { 'palimpsest.normalisation': '{"mean":[0.2],"std":[0.3]}', mean: '0.9' },
      { mean: [0.2], std: [0.3] },
    ],
    [
      'the range of the standard',
      { 'Image.NominalPixelRange': 'Normalized_1_1', 'Image.BitmapPixelFormat': 'Bgr8' },
      { mean: [0.5], std: [0.5], channelOrder: 'bgr' },
    ],
    ['text that says nothing', { mean: 'of course', std: '', size: 'large' }, {}],
  ];
  for (const [name, metadata, expected] of cases) {
    it(`reads ${name}`, () => assert.deepEqual(factsOf(undefined, metadata), expected));
  }

  it('comes after the files, and a disagreement is told', () => {
    const sources = [{ name: 'a.json', json: imagenet }];
    const { preprocessing, disagreements } = readPreprocessing(
      sources,
      { mean: '0.5', std: '0.229 0.224 0.225' },
      undefined,
    );
    assert.deepEqual(preprocessing.mean, { value: imagenet.mean, source: 'a.json' });
    assert.deepEqual(disagreements, [{ field: 'mean', sources: ['a.json', 'the metadata of the file'] }]);
  });
});

describe('normalisation inside the graph', () => {
  const inGraph = (prepare: (g: GraphBuilder, x: Value) => Value): Preprocessing['inGraph'] => {
    const model = tinyModel([3, 2, 2], (g, x, parameter) =>
      g.matmul(g.flatten(prepare(g, x)), parameter('w', [12, 2])),
    );
    return readPreprocessing([], {}, model.graph).preprocessing.inGraph;
  };
  const channels = (g: GraphBuilder, values: readonly number[]): Value => g.constant(float32([1, 3, 1, 1], values));

  it('is found as mean and deviation, however it is written', () => {
    const expected = { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.5] };
    const means = [0.5, 0.4, 0.3];
    const written: readonly ((g: GraphBuilder, x: Value) => Value)[] = [
      (g, x) => g.div(g.sub(x, channels(g, means)), channels(g, expected.std)),
      (g, x) => g.mul(g.add(x, channels(g, [-0.5, -0.4, -0.3])), channels(g, [4, 5, 2])),
      (g, x) => g.sub(g.mul(x, channels(g, [4, 5, 2])), channels(g, [2, 2, 0.6])),
    ];
    for (const prepare of written) {
      const { mean, std, nodes } = inGraph(prepare) ?? {};
      assert.deepEqual({ mean, std }, expected);
      assert.equal(nodes?.length, 2);
    }
  });

  it('speaks of pixels up to 255 where the graph divides by that', () => {
    const found = inGraph((g, x) => g.sub(g.div(x, 127.5), 1));
    assert.deepEqual([found?.mean, found?.std], [[127.5], [127.5]]);
  });

  it('is none where the first step is a layer', () => {
    assert.equal(
      inGraph((_, x) => x),
      null,
    );
  });
});

describe('settings files beside a model', () => {
  it('are found in its folder, above a folder called onnx, and never behind a link', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-settings-'));
    t.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'onnx'));
    mkdirSync(join(folder, 'other'));
    writeFileSync(join(folder, 'preprocessor_config.json'), '{"image_mean": [0.5]}');
    writeFileSync(join(folder, 'onnx', 'config.json'), '{"mean": [1]}');
    const found = (path: string): unknown => findPreprocessingFiles(join(folder, path));
    assert.deepEqual(found('onnx/model.onnx'), [
      { name: 'preprocessor_config.json', json: { image_mean: [0.5] } },
      { name: 'config.json', json: { mean: [1] } },
    ]);
    assert.deepEqual(found('other/model.onnx'), []);
    symlinkSync(join(folder, 'preprocessor_config.json'), join(folder, 'other', 'config.json'));
    writeFileSync(join(folder, 'other', 'preprocessor_config.json'), '{');
    assert.deepEqual(found('other/model.onnx'), []);
  });
});
