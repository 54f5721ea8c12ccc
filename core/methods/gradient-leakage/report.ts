import type { ReportInput } from '../define.ts';
import type { KeyFigure, ReportBlock, ReportDocument, ReportSection } from '../../report/document.ts';
import { percent } from '../../report/evaluation.ts';
import {
  AttacksData,
  type DefenceFigures,
  ClosedFileData,
  ClosedFormData,
  GradientFileData,
  LabelTableData,
  PreflightData,
  TradeoffData,
} from './report-data.ts';
import { defenceSection } from './report-defences.ts';
import { findingsOf, provenOf } from './report-findings.ts';
import { attackBlocks } from './report-attacks.ts';

const attackNames: Readonly<Record<string, string>> = {
  dlg: 'DLG',
  idlg: 'iDLG',
  'inverting-gradients': 'Inverting Gradients',
  'see-through': 'See through Gradients',
  modern: 'the modern preset',
  wei: 'the attack of Wei et al.',
};

/** What a leakage audit says to a third person. */
export function report(input: ReportInput): ReportDocument {
  const attacks = AttacksData.safeParse(input.json('attacks')).data;
  const labels = LabelTableData.safeParse(input.json('label-table')).data;
  const closed = ClosedFormData.safeParse(input.json('closed-form')).data;
  const tradeoff = TradeoffData.safeParse(input.json('trade-off')).data;
  const preflight = PreflightData.safeParse(input.json('preflight')).data;
  const file = GradientFileData.safeParse(input.json('gradient-file')).data;
  const closedFile = ClosedFileData.safeParse(input.json('closed-form-file')).data;
  const figures = attacks?.figures ?? [];
  const findings = findingsOf({ attacks, figures, closed, labels, file, closedFile, params: input.params });
  return {
    title: 'What one shared gradient gives away',
    subtitle: preflight ? preflight.title : 'Gradient leakage audit',
    conclusion: conclusion(attacks, figures, closed, file, closedFile),
    keyFigures: keyFigures(input, figures),
    ...(findings.length > 0 ? { findings } : {}),
    sections: [
      ahead(preflight),
      fileSection(file),
      closedFileSection(closedFile, input.image('closed-form.png')),
      { title: 'Images by optimisation', blocks: attacks ? attackBlocks(input, attacks, figures) : [] },
      closedSection(closed),
      labelSection(labels),
      defenceSection(figures, tradeoff),
      limits(),
    ].filter(({ blocks }) => blocks.length > 0),
  };
}

/** What came back of a file by formula, as far as its own gradient says so. */
function exactText(closed: ClosedFileData | undefined): string {
  const best = provenOf(closed);
  return best ? ` Its image comes back by formula (${best.way}): its gradient is that of the file.` : '';
}

/** "90 % (9 of 10)". */
const shareText = ({ share, count, of }: NonNullable<DefenceFigures['success']>): string =>
  `${percent(share)} (${count} of ${of})`;

function conclusion(
  attacks: AttacksData | undefined,
  figures: readonly DefenceFigures[],
  closed: ClosedFormData | undefined,
  file: GradientFileData | undefined,
  closedFile: ClosedFileData | undefined,
): string {
  const exact = closed?.rows.filter(({ exact: count, way }) => count > 0 && !way.startsWith('A3')) ?? [];
  const formula = exact[0]
    ? ` Without any optimisation, ${exact[0].exact} of ${exact[0].images} came back exactly (${exact[0].way}).`
    : '';
  const [plain, ...defended] = figures;
  if (file) {
    const labels = file.labels ? ` It tells the labels ${file.labels.join(', ')} (by ${file.labelRule}).` : '';
    const attacked = attacks ? 'was attacked; without the true images its recovery cannot be scored' : 'was read';
    return `The gradient of the file ${attacked}.${labels}${exactText(closedFile)}`;
  }
  if (!attacks || !plain?.success) {
    return `The run ended before its attacks were finished, or none was asked for.${formula}`;
  }
  const best = defended.toSorted((a, b) => (a.success?.share ?? 1) - (b.success?.share ?? 1))[0];
  const most = defended.toSorted((a, b) => (b.success?.share ?? 0) - (a.success?.share ?? 0))[0];
  const labels = plain.labelAccuracy === null ? '' : ` and ${percent(plain.labelAccuracy)} of the labels`;
  const lead = `From one gradient, ${attackNames[attacks.attack] ?? attacks.attack} recovered ${shareText(plain.success)} of the images (MSE ≤ 0.01)${labels}.`;
  if (!best?.success || !most?.success) return lead + formula;
  const known = defended.every(({ isKnown }) => isKnown);
  const spread =
    best === most
      ? ` Under ${best.title}, attacked ${known ? 'by somebody who knows it' : 'as without it'}, ${shareText(best.success)}.`
      : ` The defences, attacked ${known ? 'by somebody who knows them' : 'in part as without them'}, left from ${shareText(best.success)}, under ${best.title}, to ${shareText(most.success)}, under ${most.title}.`;
  return lead + spread + formula;
}

function keyFigures(input: ReportInput, figures: readonly DefenceFigures[]): KeyFigure[] {
  const [plain, ...defended] = figures;
  const isKnown = defended.every((each) => each.isKnown);
  const single = (name: string, label: string, unit: string, note: string): KeyFigure[] => {
    const value = input.metrics[name];
    return typeof value === 'number' ? [{ label, value, unit, note }] : [];
  };
  const success: KeyFigure[] = plain?.success
    ? [
        {
          label: 'Images recovered',
          value: plain.success.share,
          unit: 'fraction',
          interval: [plain.success.interval[0], plain.success.interval[1]],
          note: `${plain.success.count} of ${plain.success.of} with MSE ≤ 0.01, no defence`,
        },
      ]
    : [];
  return [
    ...success,
    ...single('labelAccuracy', 'Labels recovered', 'fraction', 'used by the attack, no defence'),
    ...single('identified', 'Identified', 'fraction', 'nearest gallery image of the label is the true one'),
    ...single('psnr', 'PSNR', 'dB', 'mean, no defence'),
    ...single(
      'bestDefendedSuccess',
      'Recovered, best defence',
      'fraction',
      isKnown ? 'by an attacker who knows it' : 'attacked as without a defence',
    ),
    ...single('closedFormExact', 'In closed form', 'fraction', 'images with MSE < 1e-6, without optimisation'),
    ...single('imprinted', 'By a malicious server', 'fraction', 'images with MSE < 1e-6, imprint A3'),
  ];
}

function ahead(preflight: PreflightData | undefined): ReportSection {
  if (!preflight) return { title: 'What could be expected', blocks: [] };
  const { norms, vanished, facts, warnings, evaluationMs } = preflight;
  const sorted = norms.toSorted((a, b) => a - b);
  const at = (share: number): number | null => sorted[Math.floor(share * (sorted.length - 1))] ?? null;
  return {
    title: 'What could be expected',
    blocks: [
      { kind: 'table', title: 'The setting', columns: [{ title: 'What' }, { title: 'Here' }], rows: facts },
      ...warnings.map((text): ReportBlock => ({ kind: 'notice', level: 'warning', text })),
      {
        kind: 'table',
        title: 'Gradients before the start',
        columns: [
          { title: 'Gradients' },
          { title: 'Vanished' },
          { title: 'Smallest norm' },
          { title: 'Median norm' },
          { title: 'Largest norm' },
          { title: 'One evaluation', unit: 'ms' },
        ],
        rows: [[norms.length, vanished, at(0), at(0.5), at(1), evaluationMs]],
        note: 'L2 norms over all parameters of what would be shared without a defence. A norm below 1e-12 is rounding: nothing is read from it.',
      },
    ],
  };
}

function fileSection(file: GradientFileData | undefined): ReportSection {
  if (!file) return { title: 'The gradient of the file', blocks: [] };
  const { name, sha256, norm, least, estimate, batchSize, isCounted, labels, labelRule } = file;
  return {
    title: 'The gradient of the file',
    text: 'What it says by itself, before any attack.',
    blocks: [
      ...file.warnings.map((text): ReportBlock => ({ kind: 'notice', level: 'warning', text })),
      {
        kind: 'table',
        title: 'Images, labels and loss behind it',
        columns: [{ title: 'What' }, { title: 'Here' }],
        rows: [
          ['File', name],
          ['SHA-256', sha256],
          ['Norm', norm],
          ['Images at least', String(least)],
          ['Images as it looks', estimate === null ? 'cannot be told' : String(estimate)],
          ['Images as attacked', `${batchSize}, ${isCounted ? 'counted' : 'as told'}`],
          ['Labels', labels ? `${labels.join(', ')} (by ${labelRule})` : 'no rule tells them'],
        ],
        note: [...file.notes, ...file.labelNotes].join(' '),
      },
    ],
  };
}

/** Held against the file, since the true images are not known. */
function closedFileSection(closed: ClosedFileData | undefined, source: string | undefined): ReportSection {
  const title = 'Images in closed form';
  if (!closed) return { title, blocks: [] };
  return {
    title,
    text: 'Linear algebra on the gradient of the file, no optimisation.',
    blocks: [
      {
        kind: 'table',
        title: 'Recovered without optimisation',
        columns: [{ title: 'Way' }, { title: 'Images' }, { title: 'Distance of its gradient' }, { title: 'Note' }],
        rows: closed.rows.map(({ way, count, distance, note }) => [way, count, distance, note]),
        note: 'Distance: of the gradient of what came back from the one given, over its norm. Far below 1 it is the image; an image cannot be told by it alone where the file was defended.',
      },
      ...(source
        ? [
            {
              kind: 'image',
              title: 'What came back, in the order of the table',
              source,
              alt: 'Images recovered from the gradient of the file by formula',
              pixelated: true,
            } as const,
          ]
        : []),
    ],
  };
}

function closedSection(closed: ClosedFormData | undefined): ReportSection {
  if (!closed || closed.rows.length === 0) return { title: 'Images in closed form', blocks: [] };
  return {
    title: 'Images in closed form',
    text: 'Linear algebra on the gradient, no optimisation. It works where the network permits it, whatever its weights.',
    blocks: [
      {
        kind: 'table',
        title: 'Recovered without optimisation',
        columns: [
          { title: 'Way' },
          { title: 'Batch' },
          { title: 'Images' },
          { title: 'Exact (MSE < 1e-6)' },
          { title: 'Mean MSE' },
          { title: 'Expected' },
          { title: 'Note' },
        ],
        rows: closed.rows.map((row) => [
          row.way,
          row.batchSize,
          row.images,
          row.exact,
          row.meanMse,
          row.expected,
          row.note,
        ]),
      },
    ],
  };
}

function labelSection(labels: LabelTableData | undefined): ReportSection {
  if (!labels || labels.rows.length === 0) return { title: 'Labels', blocks: [] };
  const rules = labels.rows[0]?.rules.map(({ rule }) => rule) ?? [];
  const notes = new Map<string, string>();
  for (const row of labels.rows) {
    for (const { rule, note } of row.rules) if (note !== '' && !notes.has(rule)) notes.set(rule, note);
  }
  return {
    title: 'Labels',
    text: 'Read off the gradient of the last layer before any optimisation. Overlap is the share of the labels of a batch that a rule names, repeats counted; exact are batches with every label right.',
    blocks: [
      {
        kind: 'table',
        title: 'Overlap by rule',
        columns: [
          { title: 'Network' },
          { title: 'Batch' },
          { title: 'Labels' },
          ...[...rules, 'Even guess'].map((title) => ({ title, unit: 'fraction', digits: 0 })),
        ],
        rows: labels.rows.map((row) => [
          row.network,
          row.batchSize,
          row.kind,
          ...rules.map((rule) => {
            const found = row.rules.find((each) => each.rule === rule);
            return found && found.answered > 0 ? found.overlap : null;
          }),
          row.guess,
        ]),
        note: `${labels.batches} batches a row. Empty: the rule says nothing of such a batch. L3 can name each class once at most. The even guess names all classes equally often and sees no gradient.`,
      },
      {
        kind: 'table',
        title: 'Batches with every label right',
        columns: [{ title: 'Network' }, { title: 'Batch' }, { title: 'Labels' }, ...rules.map((title) => ({ title }))],
        rows: labels.rows.map((row) => [
          row.network,
          row.batchSize,
          row.kind,
          ...rules.map((rule) => {
            const found = row.rules.find((each) => each.rule === rule);
            return found && found.answered > 0 ? found.exact : null;
          }),
        ]),
        note: [...notes].map(([rule, note]) => `${rule}: ${note}`).join(' '),
      },
    ],
  };
}

const limits = (): ReportSection => ({
  title: 'What this does and does not show',
  blocks: [
    {
      kind: 'text',
      text:
        'Recovered images prove leakage; images that were not recovered do not prove that nothing leaks, only that these attacks ' +
        'with this budget failed. Gradients are of the mean cross-entropy without smoothing or weight decay. Published success ' +
        'rates (DLG 76 %, iDLG 89 % of MNIST images at MSE ≤ 0.01) hold for untrained networks with sigmoids, single images, ' +
        '300 outer steps, and images that were not clipped to the box, as these are.\n\nTerms: NIST AI 100-2 E2025 calls this a privacy attack, data reconstruction; the nearest entry of ' +
        'MITRE ATLAS is AML.T0024, exfiltration via an inference interface, since gradients are shared on purpose.',
    },
  ],
});
