// Holds what `palimpsest inspect` says of a folder of classifier files against what their names and references say.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openSafetensors } from '../core/data/safetensors.ts';
import { fixDimensions } from '../core/onnx/dimensions.ts';
import { inspectModel } from '../core/inspect/inspect.ts';
import type { ClassifierFacts, Inspection } from '../core/inspect/inspection.ts';
import { readModelFile } from '../core/onnx/read.ts';

const help = `node bench/inspect-matrix.ts FOLDER [--only TEXT]

  FOLDER       as reference/make_matrix.py writes it: NAME.onnx beside NAME.safetensors
  --only TEXT  files whose name contains TEXT; several, separated by commas
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' }, help: { type: 'boolean', default: false } },
});

/** What a name promises: keras-cnn.keras15, tv-resnet18.script12-external-sizes, … */
interface Promised {
  readonly layout: ClassifierFacts['image']['layout'];
  readonly hasSoftmax: boolean;
  readonly isFree: boolean;
  readonly isOpen: boolean;
  readonly isHalf: boolean;
  /** The scores of two heads are averaged: none of them is the last layer. */
  readonly hasTwoHeads: boolean;
}

function promised(name: string): Promised {
  const channelsLast = /^(keras|tf2onnx)-/.test(name);
  const isRows = name.startsWith('skl2onnx-');
  return {
    layout: channelsLast ? 'nhwc' : isRows ? 'rows' : 'nchw',
    hasSoftmax: /^(keras|tf2onnx|paddle|skl2onnx)-|-softmax/.test(name),
    isFree: /-batch/.test(name),
    isOpen: /-sizes/.test(name),
    isHalf: /-(half|fp16)/.test(name),
    hasTwoHeads: /-teacher|SwiftFormer|levit_128s|distilled/.test(name),
  };
}

/** [expected, got] where they differ. */
function differences(name: string, found: Inspection, x: readonly number[]): readonly string[] {
  const { classifier } = found;
  if (!classifier) return found.problems.map(({ message }) => message);
  const { image, logits, classCount, lastLayer, featureLayers, parameters } = classifier;
  const wanted = promised(name);
  const says = (what: string, expected: unknown, got: unknown): readonly string[] =>
    String(expected) === String(got) ? [] : [`${what}: expected ${String(expected)}, got ${String(got)}`];
  const { order1, order2 } = found.differentiability;
  return [
    ...says('layout', wanted.layout, image.layout),
    ...says('image', x.slice(1).join(' × '), [image.channels, image.height, image.width].join(' × ')),
    ...says('classes', 10, classCount),
    ...says('softmax removed', wanted.hasSoftmax, logits.softmaxRemoved),
    ...(wanted.isFree ? says('fixed batch', null, image.fixedBatch) : []),
    ...says('last linear layer', !wanted.hasTwoHeads, lastLayer !== null),
    ...(featureLayers.length >= 2 || wanted.layout === 'rows' ? [] : [`${featureLayers.length} feature layers`]),
    ...(parameters.count > 0 ? [] : ['no parameters']),
    ...says(
      'half precision',
      wanted.isHalf,
      found.warnings.some(({ code }) => code === 'half-precision'),
    ),
    ...says('first order', true, order1.isPossible),
    ...says('second order', true, order2.isPossible),
    ...found.problems.map(({ message }) => message),
  ];
}

async function imageOf(path: string): Promise<readonly number[]> {
  const file = await openSafetensors(path);
  try {
    return (await file.read('x')).dims;
  } finally {
    await file.close();
  }
}

async function main(folder: string): Promise<void> {
  const texts = values.only.split(',');
  const names = readdirSync(folder)
    .flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -'.onnx'.length)] : []))
    .filter((name) => existsSync(join(folder, `${name}.safetensors`)) && texts.some((text) => name.includes(text)))
    .sort();
  let wrong = 0;
  for (const name of names) {
    const path = join(folder, `${name}.onnx`);
    const x = await imageOf(join(folder, `${name}.safetensors`));
    const { model, hasExternalData } = readModelFile(path);
    const [, , height, width] = x;
    const isOpen = promised(name).isOpen;
    const found = inspectModel(isOpen ? fixDimensions(model, { height: height ?? 0, width: width ?? 0 }) : model, {
      file: { path, sizeBytes: statSync(path).size, sha256: '', weights: {}, hasExternalData },
      settings: [],
      speed: undefined,
    });
    const all = differences(name, found, x);
    if (all.length > 0) wrong++;
    const { lastLayer, featureLayers, batchNorm, parameters } = found.classifier ?? {};
    const facts = [
      lastLayer ? `${lastLayer.op} ${lastLayer.weight} of ${lastLayer.featureCount}` : '–',
      `${featureLayers?.length ?? 0} feature layers`,
      `batch norm ${batchNorm?.present ?? 0}, folded ${batchNorm?.folded ?? '–'}`,
      `${parameters?.named ?? 0} of ${parameters?.tensors ?? 0} names`,
      found.warnings.map(({ code }) => code).join(' '),
    ];
    process.stdout.write(`${all.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${facts.join('; ')}\n`);
    for (const each of all) process.stdout.write(`    ${each.slice(0, 400)}\n`);
  }
  process.stdout.write(`${names.length - wrong} as expected, ${wrong} not\n`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

const [folder] = positionals;
if (values.help || folder === undefined) process.stdout.write(help);
else await main(folder);
