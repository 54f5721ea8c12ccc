import { z } from 'zod';
import { inGraphNormalisation, type InGraphNormalisation } from './graph-normalisation.ts';
import type { Graph } from '../onnx/graph.ts';

/** A fact and the place it was found in. */
export interface Found<T> {
  readonly value: T;
  readonly source: string;
}

/** How pixels become the input of a model; null where nothing says it. */
export interface Preprocessing {
  /** Of pixels in [0, 1], a number for each channel, or one for all: input = (pixel − mean) / std. */
  readonly mean: Found<readonly number[]> | null;
  readonly std: Found<readonly number[]> | null;
  /** [height, width] of the images that the model was made for. */
  readonly size: Found<readonly [number, number]> | null;
  readonly interpolation: Found<string> | null;
  /** Share of the resized image's side that is kept by the crop in the middle. */
  readonly cropFraction: Found<number> | null;
  readonly channelOrder: Found<'rgb' | 'bgr'> | null;
  /** Done by the graph itself, on top of the above. */
  readonly inGraph: InGraphNormalisation | null;
  /** Places that were looked into. */
  readonly searched: readonly string[];
}

/** A JSON file beside the model, or the metadata of the model. */
export interface PreprocessingSource {
  readonly name: string;
  readonly json: unknown;
}

type Facts = {
  -readonly [K in Exclude<keyof Preprocessing, 'inGraph' | 'searched'>]?: NonNullable<Preprocessing[K]>['value'];
};

export interface Disagreement {
  readonly field: string;
  readonly sources: readonly string[];
}

/** Collects what the sources say; of sources that disagree the first is believed. `takesBytes`: the image is of uint8. */
export function readPreprocessing(
  sources: readonly PreprocessingSource[],
  metadata: Readonly<Record<string, string>>,
  graph: Graph | undefined,
  takesBytes = false,
): { readonly preprocessing: Preprocessing; readonly disagreements: readonly Disagreement[] } {
  const given = [
    ...sources.map(({ name, json }) => ({ name, facts: factsOf(json) })),
    { name: 'the metadata of the file', facts: metadataFacts(metadata) },
    ...(takesBytes ? [{ name: 'the type of the input', facts: byteFacts }] : []),
  ];
  const disagreements: Disagreement[] = [];
  const pick = <K extends keyof Facts>(field: K): { value: NonNullable<Facts[K]>; source: string } | null => {
    const all = given.flatMap(({ name, facts }) => {
      const value = facts[field];
      return value === undefined || value === null ? [] : [{ value, source: name }];
    });
    const [first] = all;
    const others = all.filter(({ value }) => JSON.stringify(value) !== JSON.stringify(first?.value));
    if (first && others.length > 0) {
      disagreements.push({ field, sources: [first.source, ...others.map(({ source }) => source)] });
    }
    return first ?? null;
  };
  const preprocessing = {
    mean: pick('mean'),
    std: pick('std'),
    size: pick('size'),
    interpolation: pick('interpolation'),
    cropFraction: pick('cropFraction'),
    channelOrder: pick('channelOrder'),
    inGraph: graph ? inGraphNormalisation(graph) : null,
    searched: given.map(({ name }) => name),
  };
  return { preprocessing, disagreements };
}

const numbers = z.union([z.array(z.number()).min(1).max(64), z.number().transform((value) => [value])]);
const side = z.int().positive().max(65_536);
const sized = z.union([
  side.transform((value): [number, number] => [value, value]),
  z.object({ height: side, width: side }).transform(({ height, width }): [number, number] => [height, width]),
  z.object({ shortest_edge: side }).transform(({ shortest_edge: edge }): [number, number] => [edge, edge]),
  z.tuple([side, side]),
]);

/** Codes of Pillow's resampling filters. */
const filters = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];
const filter = z.union([
  z
    .int()
    .min(0)
    .max(filters.length - 1)
    .transform((code) => filters[code] ?? ''),
  z.string().min(1).max(40),
]);

/** Hugging Face's image processors. */
const Processor = z.object({
  image_mean: numbers.optional().catch(undefined),
  image_std: numbers.optional().catch(undefined),
  size: sized.optional().catch(undefined),
  crop_size: sized.optional().catch(undefined),
  resample: filter.optional().catch(undefined),
  do_rescale: z.boolean().optional().catch(undefined),
  rescale_factor: z.number().positive().optional().catch(undefined),
  rescale_offset: z.boolean().optional().catch(undefined),
  offset: z.boolean().optional().catch(undefined),
  do_normalize: z.boolean().optional().catch(undefined),
  do_center_crop: z.boolean().optional().catch(undefined),
});

/** timm's settings of a pre-trained network. */
const Timm = z.object({
  mean: numbers.optional().catch(undefined),
  std: numbers.optional().catch(undefined),
  input_size: z.tuple([z.int(), side, side]).optional().catch(undefined),
  interpolation: filter.optional().catch(undefined),
  crop_pct: z.number().positive().max(1).optional().catch(undefined),
});

function factsOf(json: unknown): Facts {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return {};
  const inner = 'pretrained_cfg' in json ? json.pretrained_cfg : json;
  const timm = timmFacts(inner);
  return { ...processorFacts(json), ...timm };
}

function timmFacts(json: unknown): Facts {
  const { data } = Timm.safeParse(json);
  if (!data) return {};
  const [, height, width] = data.input_size ?? [];
  return {
    ...(data.mean ? { mean: data.mean } : {}),
    ...(data.std ? { std: data.std } : {}),
    ...(height !== undefined && width !== undefined ? { size: [height, width] as const } : {}),
    ...(data.interpolation === undefined ? {} : { interpolation: data.interpolation }),
    ...(data.crop_pct === undefined ? {} : { cropFraction: data.crop_pct }),
  };
}

function processorFacts(json: object): Facts {
  const { data } = Processor.safeParse(json);
  if (!data) return {};
  const isProcessor = data.image_mean !== undefined || data.do_normalize !== undefined || data.do_rescale !== undefined;
  const crop = data.do_center_crop === false ? undefined : data.crop_size;
  const seen = crop ?? data.size;
  const resized = data.size?.[0];
  return {
    ...(isProcessor ? normalisationOf(data) : {}),
    ...(seen ? { size: seen } : {}),
    ...(crop && resized !== undefined && resized >= crop[0] ? { cropFraction: crop[0] / resized } : {}),
    ...(data.resample === undefined ? {} : { interpolation: data.resample }),
  };
}

/**
 * A processor takes pixels p in [0, 255] to (f·p − o − mean) / std. With u = p / 255 that is (u − mean′) / std′ with
 * mean′ = (o + mean) / 255f and std′ = std / 255f.
 */
function normalisationOf(data: z.infer<typeof Processor>): Facts {
  const isNormalised = data.do_normalize !== false;
  if (isNormalised && (!data.image_mean || !data.image_std)) return {};
  const factor = 255 * (data.do_rescale === false ? 1 : (data.rescale_factor ?? 1 / 255));
  const offset = (data.rescale_offset ?? data.offset) === true ? 1 : 0;
  const mean = isNormalised ? (data.image_mean ?? [0]) : [0];
  const std = isNormalised ? (data.image_std ?? [1]) : [1];
  return {
    mean: mean.map((value) => rounded((offset + value) / factor)),
    std: std.map((value) => rounded(value / factor)),
  };
}

/** Pixels as they are stored, 0 to 255: the graph does all else. */
const byteFacts: Facts = { mean: [0], std: [Number((1 / 255).toPrecision(12))] };

/** Twelve digits: what a division by 255 and back leaves is gone. */
const rounded = (value: number): number => Number(value.toPrecision(12));

const Normalised = z.object({ mean: numbers, std: numbers });

/** What exporters and people write into metadata_props: JSON or numbers apart by commas, under these keys. */
function metadataFacts(metadata: Readonly<Record<string, string>>): Facts {
  const own = Normalised.safeParse(parsed(metadata['palimpsest.normalisation'])).data ?? {};
  const blocks = ['preprocessor_config', 'pretrained_cfg', 'preprocessing', 'preprocess', 'config'];
  const inner = blocks.map((key) => factsOf(parsed(metadata[key]))).reduce((all, facts) => ({ ...facts, ...all }), {});
  const first = (keys: readonly string[]): unknown => {
    const key = keys.find((name) => Object.hasOwn(metadata, name));
    return key === undefined ? undefined : parsed(metadata[key]);
  };
  const mean = numbers.safeParse(first(['mean', 'image_mean', 'norm_mean', 'normalize_mean'])).data;
  const std = numbers.safeParse(first(['std', 'image_std', 'norm_std', 'normalize_std'])).data;
  const size = metadataSize(first(['input_size', 'image_size', 'img_size', 'imgsz', 'size']));
  const interpolation = filter.safeParse(first(['interpolation', 'resample'])).data;
  const crop = z
    .number()
    .positive()
    .max(1)
    .safeParse(first(['crop_pct', 'crop_fraction'])).data;
  return {
    ...inner,
    ...rangeFacts(metadata),
    ...(mean ? { mean } : {}),
    ...(std ? { std } : {}),
    ...(size ? { size } : {}),
    ...(interpolation === undefined ? {} : { interpolation }),
    ...(crop === undefined ? {} : { cropFraction: crop }),
    ...own,
  };
}

/** [C, H, W], [H, W], one side, or an object. */
function metadataSize(value: unknown): [number, number] | undefined {
  const parts = Array.isArray(value) && value.length === 3 ? value.slice(1) : value;
  return sized.safeParse(parts).data;
}

/** The metadata that the ONNX standard itself defines for images. */
function rangeFacts(metadata: Readonly<Record<string, string>>): Facts {
  const ranges: Readonly<Record<string, { mean: number[]; std: number[] }>> = {
    nominalrange_0_255: { mean: [0], std: [rounded(1 / 255)] },
    normalized_0_1: { mean: [0], std: [1] },
    normalized_1_1: { mean: [0.5], std: [0.5] },
  };
  const range = ranges[(metadata['Image.NominalPixelRange'] ?? '').toLowerCase()];
  const format = (metadata['Image.BitmapPixelFormat'] ?? '').toLowerCase();
  const order = format.startsWith('bgr') ? 'bgr' : format.startsWith('rgb') ? 'rgb' : undefined;
  return { ...range, ...(order === undefined ? {} : { channelOrder: order }) };
}

/** JSON, else numbers apart by commas or spaces, else the text itself. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    const parts = text
      .replaceAll(/[[\]()]/g, ' ')
      .split(/[\s,]+/)
      .filter((part) => part !== '');
    const values = parts.map(Number);
    return values.length > 0 && values.every(Number.isFinite) ? values : text;
  }
}
