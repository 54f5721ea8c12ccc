import { toWorkbenchError } from '../base/errors.ts';
import { permutation, stream } from '../base/rng.ts';
import { openDataset, type ImageSet } from '../data/dataset.ts';
import { pngGrid } from '../data/write.ts';
import { fixDimensions } from '../onnx/dimensions.ts';
import { inspectModel } from '../inspect/inspect.ts';
import { openModelFile } from '../inspect/open-file.ts';
import { findNameFiles, findPreprocessingFiles } from '../inspect/preprocessing-files.ts';
import { buildArchitecture } from '../train/zoo/architectures.ts';
import { ApartCommand } from './apart.ts';
import { unpackBundle } from './bundle/unpack.ts';
import { lookAhead } from './look-ahead.ts';
import { measureSanity } from './sanity.ts';

/** Entry of the process that strange files are looked into: one command, one answer. */
process.once('message', (message) => {
  void answer(message).then((result) => process.send?.(result, undefined, undefined, () => process.exit(0)));
});
process.once('disconnect', () => process.exit(0));

async function answer(message: unknown): Promise<object> {
  try {
    const command = ApartCommand.parse(message);
    return { ok: true, result: await resultOf(command) };
  } catch (thrown) {
    return { ok: false, error: toWorkbenchError(thrown).toShape() };
  }
}

async function resultOf(command: ApartCommand): Promise<object> {
  switch (command.kind) {
    case 'model':
      return inspect(command);
    case 'data':
      return describeData(command);
    case 'sanity':
      return measureSanity(command);
    case 'look-ahead':
      return lookAhead(command.request, () => performance.now());
    case 'architecture':
      return costOfArchitecture(command);
    case 'bundle': {
      const { kind: _kind, ...asked } = command;
      return unpackBundle(asked);
    }
  }
}

function costOfArchitecture({ name, shape, classes }: Extract<ApartCommand, { kind: 'architecture' }>): object {
  const [channels, height, width] = shape;
  const model = buildArchitecture(name, { channels, height, width, classes, seed: 0 });
  const file = { path: name, sizeBytes: 0, sha256: '', hasExternalData: false, weights: {} };
  const { cost, classifier } = inspectModel(model, { file, settings: [], speed: undefined });
  return { cost, parameters: classifier?.parameters.count ?? 0 };
}

async function inspect({ path, dims, speed }: Extract<ApartCommand, { kind: 'model' }>): Promise<object> {
  const { model, file } = await openModelFile(path);
  return inspectModel(fixDimensions(model, dims), {
    file,
    settings: findPreprocessingFiles(path),
    nameFiles: findNameFiles(path),
    speed,
  });
}

async function describeData(command: Extract<ApartCommand, { kind: 'data' }>): Promise<object> {
  const { path, format, split, resizeTo } = command;
  const set = await openDataset({ path, format, split }, { resizeTo });
  try {
    return {
      path,
      title: set.title,
      format: set.format,
      split,
      count: set.count,
      shape: [...set.shape],
      classes: classesOf(set),
      fingerprint: set.fingerprint,
      samples: await samplesOf(set, command),
    };
  } finally {
    await set.close();
  }
}

function classesOf({ labels, labelNames }: ImageSet): object[] | null {
  if (!labels) return null;
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const last = Math.max(labelNames?.length ?? 0, ...[...counts.keys()].map((label) => label + 1));
  return Array.from({ length: last }, (_, label) => ({
    label,
    name: labelNames?.[label] ?? null,
    count: counts.get(label) ?? 0,
  }));
}

/** Drawn with the seed, then in order of class, so that a grid shows the classes beside each other. */
async function samplesOf(set: ImageSet, { samples, seed }: { samples: number; seed: number }): Promise<object[]> {
  const label = (index: number): number => set.labels?.[index] ?? 0;
  const drawn = [...permutation(stream(seed, 'samples'), set.count)].slice(0, samples);
  const indices = drawn.toSorted((a, b) => label(a) - label(b) || a - b);
  const [channels, height, width] = set.shape;
  const made: object[] = [];
  for (const index of indices) {
    const pixels = new Float32Array(channels * height * width);
    await set.read([index], pixels);
    const shown = channels === 1 || channels === 3 ? channels : 1;
    const image = shown === channels ? pixels : pixels.subarray(0, height * width);
    const png = await pngGrid(image, [1, shown, height, width], { columns: 1 });
    const uri = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
    made.push({ index, label: set.labels ? label(index) : null, png: uri });
  }
  return made;
}
