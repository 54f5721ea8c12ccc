import { basename } from 'node:path';
import type { FeatureLayer, Inspection, NodeName, OrderFacts } from '../core/inspect/inspection.ts';
import type { SanityReading } from '../core/contract/sanity.ts';
import { formatBytes, formatDuration, formatFraction, formatNumber } from '../core/report/format.ts';
import { columnsOf, paint, wrap, type Terminal } from './terminal.ts';

type Rows = readonly (readonly [string, string])[];

/** What `inspect` prints for people. */
export function inspectionText(terminal: Terminal, found: Inspection, sanity?: SanityReading): string {
  const sections: readonly (readonly [string, Rows])[] = [
    [basename(found.file.path), fileRows(found)],
    ['Classifier', classifierRows(found)],
    ['Names of the classes', nameRows(found)],
    ['Pre-processing', preprocessingRows(found)],
    ['Cost for one image', costRows(found)],
    ['Gradients', gradientRows(found)],
    ...(sanity ? [[`Tried on ${sanity.count} labelled images`, sanityRows(sanity)] as const] : []),
  ];
  const widest = Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name.length)));
  const blocks = sections.flatMap(([title, rows]) => {
    if (rows.length === 0) return [];
    const lines = columnsOf(rows.map(([name, value]) => [`  ${name.padEnd(widest)}`, value]));
    return [[paint(terminal, 'bold', title), ...lines].join('\n')];
  });
  const width = Math.max(60, Math.min(terminal.columns, 120));
  const warnings = found.warnings.map(({ message, nodes }) => `${message}${nodeList(nodes)}`);
  return `${[
    ...blocks,
    ...bullets(paint(terminal, 'yellow', 'Warnings'), warnings, width),
    ...bullets(paint(terminal, 'yellow', 'To be told'), found.questions, width),
    ...(found.questions.length === 0 ? [] : [wrap(howToTell, width).join('\n')]),
  ].join('\n\n')}\n`;
}

/** The window shows the same questions beside fields of its own. */
const howToTell =
  'Sizes are told with --dims NAME=SIZE; mean and standard deviation with a run, as --ROLE-mean and --ROLE-std ' +
  '(--teacher-mean, --victim-mean). --data DIR tries the usual ones on a few labelled images.';

function bullets(title: string, texts: readonly string[], width: number): readonly string[] {
  if (texts.length === 0) return [];
  const lines = texts.flatMap((text) =>
    wrap(text, width - 4).map((line, i) => (i === 0 ? `  - ${line}` : `    ${line}`)),
  );
  return [[title, ...lines].join('\n')];
}

function nodeList(nodes: readonly NodeName[]): string {
  if (nodes.length === 0) return '';
  const shown = nodes.slice(0, 6).map(({ op, node }) => `${op} (${node})`);
  return ` ${shown.join(', ')}${nodes.length > 6 ? ` and ${nodes.length - 6} more` : ''}.`;
}

const sanityRows = ({ readings, chance }: SanityReading): Rows => [
  ...readings.map(({ title, accuracy, interval }): readonly [string, string] => [
    title,
    `${formatFraction(accuracy, 1)} right (${interval.map((end) => formatFraction(end, 1)).join(' to ')})`,
  ]),
  ['Guessing', formatFraction(chance, 1)],
];

const shapeText = (shape: readonly (number | string)[] | null): string =>
  shape === null ? '[?]' : `[${shape.map((dim) => (dim === '' ? '?' : dim)).join(', ')}]`;

function fileRows({ file, operators, inputs, outputs }: Inspection): Rows {
  const nodes = Object.values(operators).reduce((a, b) => a + b, 0);
  const kinds = Object.entries(operators).map(([op, count]) => `${count} ${op}`);
  const port = ({ name, dtype, shape }: Inspection['inputs'][number]): string => `${name} ${dtype} ${shapeText(shape)}`;
  return [
    ['Size', formatBytes(file.sizeBytes) + (file.hasExternalData ? ', weights in other files' : '')],
    ['SHA-256', file.sha256],
    ...Object.entries(file.weights).map(([name, sha256]) => [`of ${name}`, sha256] as const),
    ['Format', `opset ${file.opset}, IR ${file.irVersion}${file.producer === '' ? '' : `, by ${file.producer}`}`],
    ['Inputs', inputs.map(port).join('; ')],
    ['Outputs', outputs.map(port).join('; ')],
    ['Operators', `${formatNumber(nodes)}: ${listed(kinds, 8)}`],
  ];
}

const listed = (texts: readonly string[], most: number): string =>
  texts.length <= most ? texts.join(', ') : `${texts.slice(0, most).join(', ')} and ${texts.length - most} more`;

function nameRows({ classNames }: Inspection): Rows {
  if (!classNames) return [];
  const { value, source } = classNames;
  return [
    [
      'First',
      listed(
        value.map((name) => (name.length > 40 ? `${name.slice(0, 39)}…` : name)),
        8,
      ),
    ],
    ['Found in', source],
  ];
}

const layouts = { nchw: 'channels first', nhwc: 'channels last', rows: 'as rows of pixels' } as const;

function classifierRows({ classifier }: Inspection): Rows {
  if (!classifier) return [];
  const { image, logits, lastLayer, featureLayers, batchNorm, parameters } = classifier;
  const batch = image.fixedBatch === null ? 'any batch' : `batches of ${image.fixedBatch}`;
  const anonymous = parameters.tensors - parameters.named;
  return [
    ['Image', `${image.channels} × ${image.height} × ${image.width}, ${layouts[image.layout]}, ${batch}`],
    [
      'Logits',
      `${logits.name}, ${formatNumber(classifier.classCount)} classes${logits.softmaxRemoved ? ', before the softmax of the file' : ''}`,
    ],
    [
      'Last linear layer',
      lastLayer
        ? `${lastLayer.op} of ${lastLayer.weight}, ${formatNumber(lastLayer.featureCount)} features from ${lastLayer.features}${lastLayer.hasBias ? '' : ', no bias'}`
        : 'not found',
    ],
    ...featureRows(featureLayers),
    ['Batch norm', batchNormText(batchNorm)],
    ...(classifier.dropouts === 0 ? [] : [['Dropout', `${classifier.dropouts}, inactive`] as const]),
    [
      'Parameters',
      `${formatNumber(parameters.count)} in ${parameters.tensors} tensors; ${anonymous === 0 ? 'all names are the framework’s' : `${anonymous} names are the exporter’s`}`,
    ],
  ];
}

const shownLayers = 12;

function featureRows(layers: readonly FeatureLayer[]): Rows {
  if (layers.length === 0) return [['Feature layers', 'none']];
  const step = Math.max(1, (layers.length - 1) / (shownLayers - 1));
  const picks = new Set(Array.from({ length: shownLayers }, (_, i) => layers[Math.round(i * step)]));
  const shown = layers.length <= shownLayers ? layers : layers.filter((layer) => picks.has(layer));
  const rows = columnsOf(shown.map(({ depth, name, shape }) => [`depth ${depth}`, name, shapeText(shape)]));
  const rest = layers.length - shown.length;
  return [
    ...rows.map((row, i) => [i === 0 ? 'Feature layers' : '', row] as const),
    ...(rest > 0 ? [['', `and ${rest} between them (--json has all)`] as const] : []),
  ];
}

function batchNormText({ present, trainingMode, folded }: NonNullable<Inspection['classifier']>['batchNorm']): string {
  if (trainingMode > 0) return `${present + trainingMode} layers, ${trainingMode} in training mode`;
  if (present > 0) return `${present} ${present === 1 ? 'layer' : 'layers'} with running statistics`;
  return folded === 'likely' ? 'none left: folded into convolutions' : 'none';
}

function preprocessingRows({ preprocessing }: Inspection): Rows {
  const { mean, std, size, interpolation, cropFraction, channelOrder, inGraph } = preprocessing;
  const row = (name: string, fact: { value: unknown; source: string } | null, text: (value: string) => string): Rows =>
    fact ? [[name, `${text([fact.value].flat().join(', '))} (${fact.source})`]] : [];
  const rows: Rows = [
    ...row('Mean', mean, (value) => value),
    ...row('Standard deviation', std, (value) => value),
    ...row('Size', size, (value) => value.replace(', ', ' × ')),
    ...row('Interpolation', interpolation, (value) => value),
    ...row('Crop', cropFraction, (value) => `${value} of the side`),
    ...row('Channel order', channelOrder, (value) => value),
    ...(inGraph ? [['In the graph', `(x − ${shapeText(inGraph.mean)}) / ${shapeText(inGraph.std)}`] as const] : []),
  ];
  return rows.length === 0 ? [['', 'not found']] : rows;
}

const scales = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

function flopsText(flops: number | null): string {
  if (flops === null) return '–';
  const [scale, letter] = scales.find(([size]) => flops >= size) ?? [1, ''];
  return `${formatNumber(Number((flops / scale).toPrecision(3)))} ${letter}FLOP`;
}

function costRows({ cost }: Inspection): Rows {
  if (!cost) return [];
  const { estimate } = cost;
  const time = (ms: number): string => (ms < 1 ? `${formatNumber(Number(ms.toPrecision(2)))} ms` : formatDuration(ms));
  return [
    [
      'Forward',
      `${flopsText(cost.forwardFlops)}, ${formatNumber(Number((cost.multiplyAdds / 1e6).toPrecision(3)))} M multiply-adds`,
    ],
    ['Gradient by the image', `${flopsText(cost.inputGradientFlops)} more`],
    ['by all parameters', `${flopsText(cost.parameterGradientFlops)} more`],
    ['of second order', `${flopsText(cost.secondOrderFlops)} more`],
    [
      'Time on this machine',
      estimate
        ? `about ${time(estimate.forwardMs)} forward${estimate.inputGradientMs === null ? '' : `, ${time(estimate.inputGradientMs)} with the gradient by the image`} (${formatNumber(Math.round(estimate.gflops))} GFLOP/s on ${estimate.threads} ${estimate.threads === 1 ? 'thread' : 'threads'})`
        : 'unknown until `palimpsest doctor` has measured it',
    ],
  ];
}

function gradientRows({ differentiability: { order1, order2 } }: Inspection): Rows {
  const text = ({ isPossible, missing, reason }: OrderFacts): string => {
    if (isPossible) return 'yes';
    const count = missing.length === 1 ? '1 operator without a rule' : `${missing.length} operators without a rule`;
    return `no: ${missing.length > 0 ? `${count}:${nodeList(missing)}` : (reason ?? 'unknown')}`;
  };
  return [
    ['First order', text(order1)],
    ['Second order', text(order2)],
  ];
}
