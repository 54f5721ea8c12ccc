import type { Finding } from '../../report/document.ts';
import type {
  AttacksData,
  ClosedFileData,
  ClosedFormData,
  DefenceFigures,
  GradientFileData,
  LabelTableData,
} from './report-data.ts';

const references: Finding['references'] = [
  { catalogue: 'NIST AI 100-2', id: 'Data reconstruction', name: 'Privacy attack: data reconstruction' },
  { catalogue: 'MITRE ATLAS', id: 'AML.T0024', name: 'Exfiltration via AI Inference API' },
];

export interface FindingInputs {
  readonly attacks: AttacksData | undefined;
  readonly figures: readonly DefenceFigures[];
  readonly closed: ClosedFormData | undefined;
  readonly labels: LabelTableData | undefined;
  readonly file: GradientFileData | undefined;
  readonly closedFile: ClosedFileData | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What an auditor hands on, the gravest first. */
export function findingsOf(inputs: FindingInputs): readonly Finding[] {
  const order = { error: 0, warning: 1, note: 2 };
  return [...byFormula(inputs), ...byAttack(inputs), ...labelsOf(inputs), ...ofFile(inputs)].toSorted(
    (a, b) => order[a.level] - order[b.level],
  );
}

const seedOf = ({ params }: FindingInputs): number | null =>
  typeof params['seed'] === 'number' ? params['seed'] : null;

function byAttack(inputs: FindingInputs): Finding[] {
  const { attacks, figures } = inputs;
  if (!attacks) return [];
  return figures.flatMap(({ title, success, isKnown }, index): Finding[] => {
    if (!success) return [];
    const where = index === 0 ? 'without a defence' : `under ${title}`;
    const leaks = success.count > 0;
    return [
      {
        id: index === 0 ? 'gradient-leakage-images' : 'gradient-leakage-defended',
        level: !leaks ? 'note' : success.share >= 0.1 ? 'error' : 'warning',
        title: leaks ? `Images come back from one gradient ${where}` : `No image came back ${where}`,
        text: `${attacks.attack} on ${success.of} images, batch ${attacks.batchSize}: ${success.count} with MSE ≤ 0.01 ${where}.${index === 0 ? '' : ` ${isKnown ? 'The attacker knew the defence.' : 'The attack was the one without a defence: somebody who knows it may do better.'}`}`,
        evidence: {
          count: success.of,
          value: success.share,
          unit: 'fraction',
          interval: success.interval,
          budget: `${String(inputs.params['steps'])} steps, ${String(inputs.params['restarts'])} restarts`,
          seed: seedOf(inputs),
        },
        references,
      },
    ];
  });
}

function byFormula(inputs: FindingInputs): Finding[] {
  return (inputs.closed?.rows ?? []).flatMap((row): Finding[] => {
    if (row.exact === 0 || row.note.startsWith('under')) return [];
    return [
      {
        id: row.way.startsWith('A3') ? 'gradient-leakage-imprint' : 'gradient-leakage-closed-form',
        level: 'error',
        title: row.way.startsWith('A3')
          ? 'A malicious server reads images exactly, by a layer of its own (A3)'
          : `Images come back exactly, without optimisation (${row.way.slice(0, 2)})`,
        text: `${row.way}, batch ${row.batchSize}: ${row.exact} of ${row.images} images with MSE < 1e-6.`,
        evidence: {
          count: row.images,
          value: row.exact / row.images,
          unit: 'fraction',
          budget: 'one gradient, linear algebra',
          seed: seedOf(inputs),
        },
        references,
      },
    ];
  });
}

function labelsOf(inputs: FindingInputs): Finding[] {
  const { labels } = inputs;
  const row = labels?.rows.filter(({ kind }) => kind === 'as they come').at(-1);
  const best = row?.rules.toSorted((a, b) => b.overlap - a.overlap)[0];
  if (!labels || !row || !best) return [];
  // Large batches are guessed well without any gradient.
  const gain = (best.overlap - row.guess) / (1 - row.guess);
  if (!(gain > 0.1)) return [];
  return [
    {
      id: 'gradient-leakage-labels',
      level: gain > 0.5 ? 'warning' : 'note',
      title: `Labels of a batch of ${row.batchSize} can be counted from its gradient`,
      text: `${best.rule} names ${(100 * best.overlap).toFixed(0)} % of the labels of ${row.batchSize} images (network: ${row.network}; ${(100 * row.guess).toFixed(0)} % by an even guess without the gradient), ${best.exact} of ${labels.batches} batches without a mistake.`,
      evidence: {
        count: labels.batches,
        value: best.overlap,
        unit: 'fraction',
        budget: 'one gradient, the last layer',
        seed: seedOf(inputs),
      },
      references,
    },
  ];
}

/** A relative distance of gradients below which what came back is the image. */
const provenBelow = 1e-2;

/** The formula that gave an image whose gradient is that of the file. */
export const provenOf = (closed: ClosedFileData | undefined): ClosedFileData['rows'][number] | undefined =>
  closed?.rows
    .filter(({ distance }) => distance !== null && distance < provenBelow)
    .toSorted((a, b) => (a.distance ?? 1) - (b.distance ?? 1))[0];

function ofFile(inputs: FindingInputs): Finding[] {
  const { file, closedFile } = inputs;
  if (!file) return [];
  const evidence = { count: file.batchSize, seed: seedOf(inputs) };
  const proven = provenOf(closedFile);
  return [
    ...(proven
      ? [
          {
            id: 'gradient-leakage-file-image',
            level: 'error' as const,
            title: 'The image behind the gradient of the file comes back by formula',
            text: `${proven.way}: the gradient of what came back differs from that of ${file.name} by ${(proven.distance ?? 0).toExponential(1)} of its norm.`,
            evidence: { ...evidence, budget: 'one gradient, linear algebra' },
            references,
          },
        ]
      : []),
    ...(file.labels
      ? [
          {
            id: 'gradient-leakage-file-labels',
            level: 'warning' as const,
            title: 'The gradient of the file tells its labels',
            text: `${file.labelRule} reads ${file.labels.join(', ')} from ${file.name}; whether they are right cannot be checked here.`,
            evidence: { ...evidence, budget: 'one gradient, the last layer' },
            references,
          },
        ]
      : []),
  ];
}
