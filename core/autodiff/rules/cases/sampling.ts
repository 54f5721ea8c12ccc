import { float, int, ints, string } from '../../attributes.ts';
import { absent, between, constant, list, x, type CaseInput, type Domain, type RuleCase } from '../case.ts';

type Attributes = NonNullable<RuleCase['attributes']>;

const scales = (...values: number[]): CaseInput => constant('float32', [values.length], values);

const resize = (name: string, shape: readonly number[], attributes: Attributes, ...rest: CaseInput[]): RuleCase => ({
  op: 'Resize',
  name,
  inputs: [x(shape), absent, ...rest],
  attributes,
  dtype: 'float32',
});

/** Grid places (x, y …) on that many pixels, each between two pixel centres and edges, many beyond the border. */
const placesOn =
  (lengths: readonly number[]) =>
  (alignCorners: boolean): Domain =>
  (rng, size) =>
    Array.from({ length: size }, (_, i) => {
      const length = lengths[i % lengths.length] ?? 1;
      const pixel = rng.int(3 * length) - length + 0.3 + 0.1 * rng.uniform();
      return alignCorners ? (2 * pixel) / (length - 1) - 1 : (2 * pixel + 1) / length - 1;
    });
const places = placesOn([5, 4]);
const volumePlaces = placesOn([5, 4, 3]);

/** All modes and paddings on images, and on volumes where onnxruntime has them; points far outside, too. */
const samples: readonly RuleCase[] = ['linear', 'nearest', 'cubic'].flatMap((mode) =>
  ['zeros', 'border', 'reflection'].flatMap((padding) =>
    [false, true].flatMap((alignCorners): RuleCase[] => {
      const name = `${mode}, ${padding}${alignCorners ? ', corners aligned' : ''}`;
      const attributes = {
        mode: string(mode),
        padding_mode: string(padding),
        align_corners: int(alignCorners ? 1 : 0),
      };
      const image = [x([2, 2, 4, 5]), x([2, 3, 2, 2], places(alignCorners))];
      const volume = [x([1, 2, 3, 4, 5]), x([1, 2, 1, 3, 3], volumePlaces(alignCorners))];
      return [
        { op: 'GridSample', name, inputs: image, attributes },
        ...(mode === 'cubic' ? [] : [{ op: 'GridSample', name: `${name}, volume`, inputs: volume, attributes }]),
      ];
    }),
  ),
);

const linear = { mode: string('linear') };
const cubic = { mode: string('cubic') };
const asymmetric = { coordinate_transformation_mode: string('asymmetric') };

export const samplingCases: readonly RuleCase[] = [
  resize('nearest, twice', [1, 2, 2, 3], { ...asymmetric, nearest_mode: string('floor') }, scales(1, 1, 2, 2)),
  resize('nearest, 5 of 3', [1, 1, 3, 3], {}, absent, list(1, 1, 5, 5)),
  resize('nearest, fewer', [1, 1, 6, 5], { nearest_mode: string('ceil'), ...asymmetric }, absent, list(1, 1, 3, 2)),
  resize('linear, twice', [1, 2, 3, 2], linear, scales(1, 1, 2, 2)),
  resize('linear, fewer', [1, 1, 6, 6], linear, absent, list(1, 1, 4, 3)),
  resize(
    'linear, corners aligned',
    [1, 1, 3, 4],
    { ...linear, coordinate_transformation_mode: string('align_corners') },
    absent,
    list(1, 1, 5, 7),
  ),
  resize(
    'linear, PyTorch half pixel',
    [1, 1, 3, 4],
    { ...linear, coordinate_transformation_mode: string('pytorch_half_pixel') },
    absent,
    list(1, 1, 1, 6),
  ),
  resize('linear, asymmetric', [1, 1, 3, 4], { ...linear, ...asymmetric }, scales(1, 1, 1.5, 2)),
  resize('cubic', [1, 1, 4, 4], cubic, absent, list(1, 1, 7, 6)),
  resize(
    'cubic, outside left out',
    [1, 1, 4, 4],
    { ...cubic, exclude_outside: int(1), cubic_coeff_a: float(-0.5) },
    absent,
    list(1, 1, 6, 6),
  ),
  resize('linear, antialiased', [1, 1, 7, 5], { ...linear, antialias: int(1) }, absent, list(1, 1, 3, 4)),
  resize(
    'cubic, antialiased, outside left out',
    [1, 1, 7, 5],
    { ...cubic, antialias: int(1), exclude_outside: int(1) },
    absent,
    list(1, 1, 3, 7),
  ),
  ...['nearest', 'linear', 'cubic'].map((mode): RuleCase => ({
    op: 'Resize',
    name: `${mode}, cropped`,
    inputs: [x([1, 1, 5, 6]), constant('float32', [4], [0.1, -0.3, 0.8, 1.2]), absent, list(4, 7)],
    attributes: {
      mode: string(mode),
      axes: ints([2, 3]),
      coordinate_transformation_mode: string('tf_crop_and_resize'),
      extrapolation_value: float(0.5),
    },
    dtype: 'float32',
  })),
  resize(
    'linear, aspect ratio kept',
    [1, 1, 5, 6],
    { ...linear, axes: ints([2, 3]), keep_aspect_ratio_policy: string('not_larger') },
    absent,
    list(4, 9),
  ),
  resize('given axes', [1, 2, 2, 3], { ...linear, axes: ints([2, 3]) }, scales(2, 3)),
  ...samples,
  {
    op: 'CenterCropPad',
    name: 'cropped and padded by odd numbers',
    inputs: [x([2, 5, 4, 3]), list(2, 7)],
    attributes: { axes: ints([1, -2]) },
  },
  { op: 'CenterCropPad', name: 'all axes', inputs: [x([3, 2]), list(2, 5)] },
  { op: 'Col2Im', name: 'blocks that overlap', inputs: [x([2, 8, 6]), list(3, 4), list(2, 2)], dtype: 'float32' },
  {
    op: 'Col2Im',
    name: 'strides, dilations and pads',
    inputs: [x([1, 6, 6]), list(5, 5), list(3, 2)],
    attributes: { strides: ints([2, 3]), dilations: ints([1, 2]), pads: ints([1, 2, 1, 0]) },
    dtype: 'float32',
  },
  { op: 'AffineGrid', name: 'plane', inputs: [x([2, 2, 3]), list(2, 1, 3, 4)], dtype: 'float32' },
  {
    op: 'AffineGrid',
    name: 'plane, corners aligned',
    inputs: [x([2, 2, 3], between(-1, 1)), list(2, 1, 3, 4)],
    attributes: { align_corners: int(1) },
    dtype: 'float32',
  },
  { op: 'AffineGrid', name: 'volume', inputs: [x([1, 3, 4]), list(1, 1, 2, 3, 2)], dtype: 'float32' },
];
