import { basename } from 'node:path';
import { WorkbenchError } from '../../base/errors.ts';
import { permutation, stream } from '../../base/rng.ts';
import type { DataRef } from '../../contract/run.ts';
import { openDataset } from '../../data/dataset.ts';
import { fitSet } from '../../data/preprocess.ts';
import { fillSynthetic, noiseKinds, shapeKinds, syntheticKinds, type SyntheticKind } from '../../data/synthetic.ts';
import type { ImageSource } from '../../train/evaluate.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { ParamsOf } from '../define.ts';
import type { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;
type Teacher = Pick<OpenedModel, 'shape' | 'title'>;

/** Where transfer sets are drawn from. */
export interface Pool {
  /** For messages and the report, as in "10,000 images of …". */
  readonly title: string;
  readonly kind: 'data' | 'synthetic';
  /** Images that there are; Infinity for a pool that is made up while it is read. */
  readonly size: number;
  /** SHA-256 of the files; undefined for made-up images. */
  readonly fingerprint: string | undefined;
  /** The first `limit` images in the order of a seed. */
  pass(seed: number, limit: number): PoolPass;
  close(): Promise<void>;
}

/** The images of a pool in the order in which they are scanned. */
export interface PoolPass {
  /** Image i is the i-th scanned, fitted to the teacher: [C, H, W] in [0, 1]. */
  readonly source: ImageSource;
  /** Number within the pool of the i-th scanned image. */
  itemAt(position: number): number;
}

/** @throws PARAM_INVALID, DATA_UNREADABLE, DATA_UNSUITABLE */
export async function openPool(
  params: Pick<Params, 'source' | 'invert'>,
  ref: DataRef | undefined,
  teacher: Teacher,
): Promise<Pool> {
  const source = params.source === 'auto' ? (ref ? 'data' : 'shapes') : params.source;
  if (source === 'data') {
    if (ref) return dataPool(ref, teacher, params.invert);
    throw new WorkbenchError('PARAM_INVALID', 'The source of the pool is "data", but no pool was given', {
      hint: 'Name images with --pool, or choose a source that needs none, such as shapes or mixed-noise.',
    });
  }
  if (ref) {
    throw new WorkbenchError('PARAM_INVALID', `A pool was given, but the source "${source}" does not use it`, {
      hint: 'Leave out --pool, or choose the source data.',
    });
  }
  return syntheticPool(source, teacher);
}

async function dataPool(ref: DataRef, { shape, title }: Teacher, invert: boolean): Promise<Pool> {
  const [channels, height, width] = shape;
  const set = await openDataset(ref, { resizeTo: [height, width] });
  const [given] = set.shape;
  const isConvertible =
    given === channels || given === 1 || (given >= 3 && given <= 4 && channels !== 2 && channels <= 3);
  if (!isConvertible) {
    await set.close();
    throw new WorkbenchError(
      'DATA_UNSUITABLE',
      `The pool ${set.title} has ${given} channels, which cannot be turned into the ${channels} of ${title}`,
      { hint: 'Choose grey or colour images.' },
    );
  }
  const fitted = fitSet(set, { channels, height, width, invert });
  const folder = basename(ref.path);
  return {
    // IDX files of all data sets have the same names.
    title: folder === set.title ? folder : `${folder}/${set.title}`,
    kind: 'data',
    size: set.count,
    fingerprint: set.fingerprint,
    pass(seed, limit) {
      const order = permutation(stream(seed, 'pool-order'), set.count).slice(0, limit);
      const itemAt = (position: number): number => order[position] ?? 0;
      return {
        source: {
          count: order.length,
          shape,
          read: (positions, out) => fitted.read(Int32Array.from(positions, itemAt), out),
        },
        itemAt,
      };
    },
    close: () => set.close(),
  };
}

type SyntheticSource = Exclude<Params['source'], 'auto' | 'data'>;

function kindsOf(source: SyntheticSource): readonly SyntheticKind[] {
  if (source === 'shapes') return shapeKinds;
  if (source === 'mixed-noise') return noiseKinds;
  return syntheticKinds.filter((kind) => kind === source);
}

const titles: Readonly<Record<string, string>> = {
  shapes: 'procedural shapes and textures',
  'mixed-noise': 'mixed noise',
  uniform: 'uniform noise',
  gaussian: 'Gaussian noise',
  smooth: 'smooth noise',
  pink: 'pink noise',
  gradient: 'gradients',
  gabor: 'Gabor patterns',
  checkerboard: 'checkerboards',
};

function syntheticPool(source: SyntheticSource, { shape }: Teacher): Pool {
  const kinds = kindsOf(source);
  const size = shape[0] * shape[1] * shape[2];
  return {
    title: titles[source] ?? source.replaceAll('-', ' '),
    kind: 'synthetic',
    size: Number.POSITIVE_INFINITY,
    fingerprint: undefined,
    pass: (seed, limit) => ({
      source: {
        count: limit,
        shape,
        async read(positions, out) {
          for (let i = 0; i < positions.length; i++) {
            fillSynthetic(kinds, seed, positions[i] ?? 0, out.subarray(i * size, (i + 1) * size), [1, ...shape]);
          }
        },
      },
      itemAt: (position) => position,
    }),
    close: async () => {},
  };
}

/** Some images of a pass under numbers of their own, kept in memory once they were read, if they are not too many. */
export function chosenImages(source: ImageSource, positions: Int32Array, memoryLimitBytes = 2 ** 28): ImageSource {
  const { shape } = source;
  const size = shape[0] * shape[1] * shape[2];
  // Repeated images are held once.
  const distinct = Int32Array.from(new Set(positions));
  const slots = new Map(Array.from(distinct, (position, slot) => [position, slot]));
  const count = positions.length;
  if (4 * distinct.length * size > memoryLimitBytes) {
    return {
      count,
      shape,
      read: (indices, out) =>
        source.read(
          Int32Array.from(indices, (i) => positions[i] ?? 0),
          out,
        ),
    };
  }
  let loading: Promise<Float32Array> | undefined;
  const load = async (): Promise<Float32Array> => {
    const images = new Float32Array(distinct.length * size);
    await source.read(distinct, images);
    return images;
  };
  return {
    count,
    shape,
    async read(indices, out) {
      const images = await (loading ??= load());
      for (let i = 0; i < indices.length; i++) {
        const slot = slots.get(positions[indices[i] ?? 0] ?? 0) ?? 0;
        out.set(images.subarray(slot * size, (slot + 1) * size), i * size);
      }
    },
  };
}
