/** What the table needs of one file of the matrix. */
export interface TableRow {
  readonly name: string;
  readonly passed: boolean;
  readonly errors: Readonly<Record<string, number | null>>;
  readonly parameters: number;
}

/** The first that fits the name, without regard to case. */
const families: readonly (readonly [string, RegExp])[] = [
  ['Quantised', /qdq/],
  ['Small networks written by other converters', /(keras|tf2onnx|paddle|skl2onnx)-(cnn|mlp)/],
  ['ConvNeXt', /convnext/],
  ['DenseNet', /densenet/],
  ['NFNet, NF-ResNet', /nfnet|nf_/],
  ['ResNet, ResNeXt, WideResNet, BiT', /res(net|next)|hf-bit/],
  ['RegNet, BYOBNet', /regnet|byob/],
  ['Inception, GoogLeNet, Xception', /inception|googlenet|xception/],
  ['MobileViT', /mobilevit/],
  ['MobileNet, MNASNet', /mobilenet|mnasnet/],
  ['EfficientNet', /efficientnet/],
  ['ShuffleNet', /shufflenet/],
  ['SqueezeNet', /squeezenet/],
  ['AlexNet', /alexnet/],
  ['VGG', /vgg/],
  ['MaxViT, CoAtNet', /maxvit|coatnet/],
  ['Swin', /swin/],
  ['MLP-Mixer', /mixer|mlp/],
  ['DeiT', /deit/],
  ['ViT, BEiT, DINOv2, I-JEPA, MSN', /vit|beit|dinov2|data2vec|ijepa|eva/],
  ['Hiera, LeViT, PVT, PoolFormer, FocalNet, SwiftFormer, MambaOut', /./],
];

const kinds = ['logits', 'dx', 'dp', 'd2x'] as const;

/** The worst of several errors: undefined where there is none, null where one is not a number. */
function worst(errors: readonly (number | null | undefined)[]): number | null | undefined {
  const known = errors.filter((error) => error !== undefined);
  if (known.length === 0 || known.some((error) => error === null)) return known.length === 0 ? undefined : null;
  return Math.max(...known.map(Number));
}

const short = (error: number | null | undefined): string =>
  error === undefined ? '–' : error === null ? 'NaN' : error.toExponential(1);

/** tv-resnet18.script11-batch → script 11. */
function exporterOf(name: string): readonly [string, number] {
  const [, kind = '', opset = '0'] = /\.([a-z]+)(\d+)/.exec(name) ?? [];
  return [kind, Number(opset)];
}

/** "dynamo 18–23, script 9–17". */
function exporters(names: readonly string[]): string {
  const groups = Map.groupBy(names.map(exporterOf), ([kind]) => kind);
  const texts = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, pairs]) => {
      const opsets = pairs.map(([, opset]) => opset);
      const [low, high] = [Math.min(...opsets), Math.max(...opsets)];
      return `${kind} ${low === high ? low : `${low}–${high}`}`;
    });
  return texts.join(', ');
}

/** One line for each family of architectures, as docs/results.md has it: how many files passed, and the worst errors. */
export function matrixTable(rows: readonly TableRow[]): string {
  const familyOf = (name: string): string =>
    families.find(([, pattern]) => pattern.test(name.toLowerCase()))?.[0] ?? '';
  const groups = Map.groupBy(rows, ({ name }) => familyOf(name));
  const lines = families.flatMap(([family]) => {
    const found = groups.get(family) ?? [];
    if (found.length === 0) return [];
    const passed = found.filter((row) => row.passed).length;
    const errors = kinds.map((kind) => short(worst(found.map((row) => row.errors[kind]))));
    const cells = [family, `${passed} of ${found.length}`, exporters(found.map(({ name }) => name)), ...errors];
    return [`| ${cells.join(' | ')} |`];
  });
  const head = [
    '| Family | Agree | Exporter and opset | logits | dx | dp | d2x |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  return `${[...head, ...lines].join('\n')}\n`;
}
