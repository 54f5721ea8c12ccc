import type { ReportInput } from '../define.ts';
import {
  accuracySection,
  AuditData,
  comparisonSection,
  corruptionSection,
  epsilonText,
  UniversalData,
} from '../../report/audit.ts';
import { auditFindings, leadingSeverity } from '../../report/audit-findings.ts';
import type { KeyFigure, ReportBlock, ReportDocument, ReportSection } from '../../report/document.ts';
import { percent } from '../../report/evaluation.ts';
import { formatNumber } from '../../report/format.ts';
import { SeverityData } from '../../report/severity.ts';
import { severityBlocks } from '../../report/severity-blocks.ts';

/** What an audit says to a third person. */
export function report(input: ReportInput): ReportDocument {
  const audit = AuditData.safeParse(input.json('audit')).data;
  const severity = SeverityData.safeParse(input.json('severity')).data;
  const universal = UniversalData.safeParse(input.json('universal')).data;
  return {
    title: 'How easily the model is fooled, and what each mistake costs',
    subtitle: audit
      ? `${listed(audit.models.map(({ title }) => title))} on ${formatNumber(audit.models[0]?.count ?? 0)} images of ${audit.dataTitle}, ${audit.norm}`
      : 'Robustness audit',
    conclusion: conclusion(audit, severity, universal),
    keyFigures: audit ? keyFigures(audit, severity, universal) : [],
    findings: audit ? auditFindings(audit, severity, universal) : [],
    sections: [
      ...(audit ? [comparisonSection(audit, severity), accuracySection(audit)] : []),
      { title: 'What each mistake costs', blocks: severity ? severityBlocks(severity) : [] },
      ...(audit ? [corruptionSection(audit)] : []),
      gallerySection(input, audit),
      universalSection(input, universal),
      ...(audit ? [doubtsSection(audit), attacksSection(audit)] : []),
    ].filter((section) => section.blocks.length > 0),
  };
}

function conclusion(
  audit: AuditData | undefined,
  severity: SeverityData | undefined,
  universal: UniversalData | undefined,
): string {
  const [model] = audit?.models ?? [];
  const [worst] = model?.worst ?? [];
  if (!audit || !model || !worst) return 'The audit made no figure.';
  const last = model.worst.at(-1);
  const more = last && last !== worst ? `, at ${epsilonText(audit, last.epsilon)} ${percent(last.robustAccuracy)}` : '';
  const lead = leadingSeverity(severity, audit);
  const cost = lead
    ? ` Its wrong answers are ${lead.value.toFixed(2)} times as far off as random ones (${lead.measure.title}).`
    : '';
  const best = universal?.rows
    .filter(({ isControl }) => !isControl)
    .toSorted((a, b) => b.foolingRate - a.foolingRate)[0];
  const single = best
    ? ` One perturbation for all images (${best.title}) changes ${percent(best.foolingRate)} of the answers.`
    : '';
  const doubt = audit.suspicions.length > 0 ? ' There are reasons to doubt these figures; see below.' : '';
  const others = beside(audit);
  const behind = audit.defence === '' ? '' : ', behind a random defence,';
  return (
    `${model.title}${behind} answers ${percent(model.cleanAccuracy)} of ${formatNumber(model.count)} images rightly. Within ` +
    `${epsilonText(audit, worst.epsilon)} the attacks leave ${percent(worst.robustAccuracy)}${more}: at most that much is robust.${others}${cost}${single}${doubt}`
  );
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** What the attacks leave of the models that it is compared with. */
function beside(audit: AuditData): string {
  const [first, ...others] = audit.models;
  const epsilon = first?.worst[0]?.epsilon;
  if (epsilon === undefined || others.length === 0) return '';
  const left = others.map(({ title, worst }) => `${percent(worst[0]?.robustAccuracy ?? 0)} of ${title}`);
  return ` On the same images they leave ${listed(left)} at ${epsilonText(audit, epsilon)}.`;
}

function keyFigures(
  audit: AuditData,
  severity: SeverityData | undefined,
  universal: UniversalData | undefined,
): KeyFigure[] {
  const [model] = audit.models;
  if (!model) return [];
  const lead = leadingSeverity(severity, audit);
  const best = universal?.rows
    .filter(({ isControl }) => !isControl)
    .toSorted((a, b) => b.foolingRate - a.foolingRate)[0];
  const n = `n = ${formatNumber(model.count)}`;
  return [
    ...model.worst.slice(0, 3).map((worst) => ({
      label: `Robust accuracy, ${epsilonText(audit, worst.epsilon)}`,
      value: worst.robustAccuracy,
      unit: 'fraction',
      interval: worst.interval,
      note: `worst case over ${audit.attacks.filter(({ isControl }) => !isControl).length} attacks, ${n}`,
    })),
    { label: 'Clean accuracy', value: model.cleanAccuracy, unit: 'fraction', interval: model.cleanInterval, note: n },
    ...(lead
      ? [
          {
            label: 'Severity against chance',
            value: lead.value,
            unit: '1',
            note: `${lead.measure.title}; 1 is a random wrong label; ${formatNumber(lead.fooled)} images fooled at ${epsilonText(audit, lead.epsilon)}`,
            ...(lead.low !== null && lead.high !== null ? { interval: [lead.low, lead.high] as const } : {}),
          },
        ]
      : []),
    ...(best
      ? [
          {
            label: 'One perturbation for all',
            value: best.foolingRate,
            unit: 'fraction',
            interval: best.interval,
            note: `${best.title}, linf ${formatNumber(universal?.epsilon ?? null)}`,
          },
        ]
      : []),
  ];
}

function gallerySection(input: ReportInput, audit: AuditData | undefined): ReportSection {
  const source = input.image('gallery');
  const gallery = audit?.gallery;
  if (!source || !audit || !gallery) return { title: 'Examples', blocks: [] };
  return {
    title: 'Examples',
    blocks: [
      {
        kind: 'image',
        title: `Most and least severe flips at ${epsilonText(audit, gallery.epsilon)}`,
        source,
        alt: 'Rows of three pictures: the clean image, the perturbation magnified, the adversarial image',
        columnLabels: ['Clean', `Perturbation × ${formatNumber(gallery.magnified)}`, 'Adversarial'],
        rowNotes: gallery.notes,
        pixelated: true,
        note: 'Sorted by severity, the worst first. The perturbation is magnified by the factor said; blue takes away, orange adds, white is no change.',
      },
    ],
  };
}

function universalSection(input: ReportInput, universal: UniversalData | undefined): ReportSection {
  if (!universal) return { title: 'One perturbation for all images', blocks: [] };
  const source = input.image('universal-grid');
  return {
    title: 'One perturbation for all images',
    blocks: [
      {
        kind: 'table',
        title: `Universal perturbations at linf ${formatNumber(universal.epsilon)}`,
        columns: [
          { title: 'Perturbation' },
          { title: 'Answers changed', unit: 'fraction' },
          { title: '95 % interval', align: 'right' },
          { title: 'Accuracy left', unit: 'fraction' },
          { title: 'Made without images', align: 'left' },
        ],
        rows: universal.rows.map((row) => [
          row.title,
          row.foolingRate,
          `${percent(row.interval[0])} – ${percent(row.interval[1])}`,
          row.accuracy,
          row.isControl ? 'control' : row.isDataFree ? 'yes' : 'no',
        ]),
        note: `n = ${formatNumber(universal.count)}, none of which any perturbation was made from. Clipped to the box after adding.`,
      },
      ...(source
        ? [
            {
              kind: 'image' as const,
              title: 'The perturbations',
              source,
              alt: 'One picture for each universal perturbation',
              columnLabels: universal.rows.map((row) => `${row.title}: ${percent(row.foolingRate)}`),
              ...(universal.rows.length > 3 ? {} : { size: 'half' as const }),
              pixelated: true,
              note: `Each with the share of the answers that it changes. Magnified by ${formatNumber(universal.magnified)}; blue takes away, orange adds, white is no change.`,
            },
          ]
        : []),
    ],
  };
}

function doubtsSection(audit: AuditData): ReportSection {
  const blocks: ReportBlock[] = audit.suspicions.map((text) => ({ kind: 'notice', level: 'warning', text }));
  if (audit.defence !== '') blocks.push({ kind: 'notice', level: 'info', text: audit.defence });
  for (const text of audit.remarks) blocks.push({ kind: 'notice', level: 'warning', text });
  if (audit.leftOut.length > 0) blocks.push({ kind: 'notice', level: 'info', text: audit.leftOut.join(' ') });
  if (audit.eightBit) {
    const { epsilon, count, stillFooled } = audit.eightBit;
    blocks.push({
      kind: 'text',
      text: `Rounded to 8 bits and brought back into the ball, ${formatNumber(stillFooled)} of ${formatNumber(count)} adversarial images at ${epsilonText(audit, epsilon)} still fool the model.`,
    });
  }
  if (audit.suspicions.length === 0) {
    blocks.push({ kind: 'text', text: checksText(audit) });
  }
  return { title: 'How far to trust these figures', blocks };
}

/** What was looked at without finding a reason to doubt, and what this audit had no means to look at. */
function checksText(audit: AuditData): string {
  const attacks = audit.attacks.filter(({ isControl }) => !isControl);
  const seesGradients = attacks.some(({ access }) => access === 'white-box');
  const has = (...ids: readonly string[]): boolean => attacks.some(({ id }) => ids.includes(id));
  const isComparable = !audit.survivorsOnly;
  const checks: readonly (readonly [string, boolean, string])[] = [
    [
      'no attack without gradients beat those with them',
      isComparable && seesGradients && audit.attacks.some(({ access }) => access !== 'white-box'),
      'whether attacks without gradients beat those with them',
    ],
    [
      'no larger ball helped the model',
      isComparable && audit.epsilons.length > 1,
      'whether a larger ball helps the model',
    ],
    ['no longer attack did', isComparable && has('fgsm') && has('pgd', 'bim'), 'whether a longer attack does'],
    ['no gradient vanished', seesGradients, 'whether gradients vanish'],
    ['nothing stood where every pixel may be anything', true, ''],
    ['the answers did not change from one look to the next', true, ''],
  ];
  const made = checks.filter(([, isMade]) => isMade).map(([found]) => found);
  const open = checks.filter(([, isMade]) => !isMade).map(([, , question]) => question);
  const reason = isComparable
    ? 'the attacks and epsilons do not tell'
    : 'each attack only saw what the others had left';
  return [
    `${made.join(', ').replace(/^./, (letter) => letter.toUpperCase())}.`,
    ...(open.length > 0 ? [`Not looked at, because ${reason}: ${open.join(', ')}.`] : []),
    'None of this proves that no stronger attack exists.',
  ].join(' ');
}

function attacksSection(audit: AuditData): ReportSection {
  return {
    title: 'Attacks and their options',
    blocks: [
      {
        kind: 'table',
        title: 'What was tried',
        columns: [
          { title: 'Attack' },
          { title: 'Sees' },
          { title: 'Options', align: 'left' },
          { title: 'Forward passes', digits: 0 },
          { title: 'Backward passes', digits: 0 },
        ],
        rows: audit.attacks.map((attack) => [
          attack.isControl ? `${attack.title} (control)` : attack.title,
          attack.access.replace('-', '\u2011'),
          Object.entries(attack.options)
            .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
            .join(', '),
          attack.forward,
          attack.backward,
        ]),
        note: 'Passes are the most that one image can cost at one epsilon. Step sizes are shares of epsilon unless “stepSize” is given.',
      },
      ...transferTables(audit),
    ],
  };
}

/** How much of what fools the source fools the model: what transfers, apart from how well the source was attacked. */
function transferTables(audit: AuditData): ReportBlock[] {
  const rows = audit.models.flatMap(({ title, rows: all }) =>
    all.flatMap(({ epsilon, transfer }) =>
      transfer
        ? [
            [
              title,
              epsilon,
              transfer.source,
              transfer.both,
              transfer.source > 0 ? transfer.both / transfer.source : null,
            ],
          ]
        : [],
    ),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'What transfers',
      columns: [
        { title: 'Model' },
        { title: 'Epsilon' },
        { title: 'Fool the source', digits: 0 },
        { title: 'of these the model', digits: 0 },
        { title: 'Transfer rate', unit: 'fraction' },
      ],
      rows,
      note: 'Of the images that the model gets right without an attack.',
    },
  ];
}
