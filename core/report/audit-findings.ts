import { epsilonText, type AuditData, type UniversalData } from './audit.ts';
import type { Finding, FindingReference } from './document.ts';
import { percent } from './evaluation.ts';
import { formatNumber } from './format.ts';
import type { SeverityData } from './severity.ts';

const atlas = (id: string, name: string): FindingReference => ({ catalogue: 'MITRE ATLAS', id, name });
const nist = (term: string): FindingReference => ({ catalogue: 'NIST AI 100-2', id: term, name: term });

/** The first severity measure of the worst case at the smallest epsilon at which something fell; undefined without one. */
export function leadingSeverity(severity: SeverityData | undefined, audit: AuditData) {
  const [measure] = severity?.measures ?? [];
  const model = audit.models[0]?.title;
  const row = severity?.rows.find((each) => each.attack === 'worst' && each.fooled > 0 && each.model === model);
  const found = measure && row?.corrected[measure.name];
  if (!measure || !row || row.epsilon === null || !found || found.value === null) return undefined;
  return { ...found, measure, value: found.value, fooled: row.fooled, epsilon: row.epsilon };
}

/** Half of the right answers lost is called failing; that line is ours. */
const failing = 0.5;

/** What an audit hands on, the gravest first. */
export function auditFindings(
  audit: AuditData,
  severity: SeverityData | undefined,
  universal: UniversalData | undefined,
): Finding[] {
  const access = (ways: readonly string[]): AuditData['attacks'] =>
    audit.attacks.filter((attack) => ways.includes(attack.access) && !attack.isControl);
  const found: Finding[] = [];
  for (const model of audit.models) {
    const box = (id: string, ways: readonly string[], title: string, references: readonly FindingReference[]): void => {
      const by = id === 'evasion-transfer' ? 'transfer' : 'asking';
      // Who has the file can also ask the model: its worst case is over all attacks.
      const attacks =
        id === 'evasion-white-box' ? access(['white-box', 'score', 'decision', 'transfer']) : access(ways);
      for (const epsilon of audit.epsilons) {
        const rows = model.rows.filter((row) => row.epsilon === epsilon && ways.includes(row.access) && !row.isControl);
        const [strongest] = rows.toSorted((a, b) => a.robustAccuracy - b.robustAccuracy);
        if (!strongest || (audit.survivorsOnly && id !== 'evasion-white-box')) continue;
        // What one attack leaves another may take: the figure is of all of them together.
        const all = id === 'evasion-white-box' ? model.worst : model.together.filter((each) => each.by === by);
        const figure = all.find((each) => each.epsilon === epsilon) ?? strongest;
        const lost = 1 - figure.robustAccuracy / model.cleanAccuracy;
        found.push({
          id,
          kind: title,
          model: model.role,
          level: lost >= failing ? 'error' : lost >= 0.1 ? 'warning' : 'note',
          title: `${title}, ${epsilonText(audit, epsilon)}: ${percent(figure.robustAccuracy)} of ${model.title} stands`,
          text: `Tried: ${attacks.map((attack) => attack.title).join(', ')}. Of ${formatNumber(model.count)} images ${percent(model.cleanAccuracy)} are answered rightly without an attack and ${percent(figure.robustAccuracy)} under every one of these attacks.`,
          evidence: {
            count: model.count,
            value: figure.robustAccuracy,
            unit: 'fraction',
            interval: figure.interval,
            budget: `${epsilonText(audit, epsilon)}; forward + backward passes an image at most: ${attacks.map((attack) => `${attack.title} ${formatNumber(attack.forward)} + ${formatNumber(attack.backward)}`).join(', ')}`,
            seed: audit.seed,
          },
          references,
        });
      }
    };
    box('evasion-white-box', ['white-box'], 'Evasion with the model file at hand', [
      atlas('AML.T0015', 'Evade ML Model'),
      atlas('AML.T0043.000', 'White-Box Optimization'),
      nist('White-box evasion attack'),
    ]);
    box('evasion-black-box', ['score', 'decision'], 'Evasion by asking the model', [
      atlas('AML.T0015', 'Evade ML Model'),
      atlas('AML.T0043.001', 'Black-Box Optimization'),
      nist('Black-box evasion attack'),
    ]);
    box('evasion-transfer', ['transfer'], 'Evasion with another model', [
      atlas('AML.T0043.002', 'Black-Box Transfer'),
      nist('Transferability of attacks'),
    ]);
  }
  return [
    ...found,
    ...universalFindings(audit, universal),
    ...severityFindings(audit, severity),
    ...doubtFindings(audit),
  ].toSorted((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
}

const levels = ['error', 'warning', 'note'] as const;

function universalFindings(audit: AuditData, universal: UniversalData | undefined): Finding[] {
  const best = universal?.rows
    .filter(({ isControl }) => !isControl)
    .toSorted((a, b) => b.foolingRate - a.foolingRate)[0];
  if (!universal || !best) return [];
  const noise = universal.rows.find(({ isControl }) => isControl);
  return [
    {
      id: 'universal-perturbation',
      kind: 'One perturbation for all images',
      level: best.foolingRate >= failing ? 'error' : best.foolingRate >= 0.1 ? 'warning' : 'note',
      title: `One perturbation for all images changes ${percent(best.foolingRate)} of the answers`,
      text: `${best.title}${best.isDataFree ? ', made from the file and no image' : ''}. ${noise ? `Random signs of the same size change ${percent(noise.foolingRate)}.` : ''}`,
      evidence: {
        count: universal.count,
        value: best.foolingRate,
        unit: 'fraction',
        interval: best.interval,
        budget: `linf ${formatNumber(universal.epsilon)}, one perturbation`,
        seed: audit.seed,
      },
      references: [atlas('AML.T0043', 'Craft Adversarial Data'), nist('Universal evasion attack')],
    },
  ];
}

function severityFindings(audit: AuditData, severity: SeverityData | undefined): Finding[] {
  const lead = leadingSeverity(severity, audit);
  if (!lead) return [];
  return [
    {
      id: 'severity',
      kind: 'Severity of wrong answers',
      level: lead.low !== null && lead.low > 1 ? 'warning' : 'note',
      title: `Wrong answers are ${lead.value.toFixed(2)} times as severe as random ones`,
      text: `Mean distance (${lead.measure.title}) of the old from the new label over the fooled images, divided by that of a uniformly random wrong label for the same images. In the spirit of Mopuri et al. 2020.`,
      evidence: {
        count: lead.fooled,
        value: lead.value,
        unit: '1',
        ...(lead.low !== null && lead.high !== null ? { interval: [lead.low, lead.high] as const } : {}),
        budget: epsilonText(audit, lead.epsilon),
        seed: audit.seed,
      },
      references: [atlas('AML.T0048', 'External Harms'), nist('Integrity violation')],
    },
  ];
}

function doubtFindings(audit: AuditData): Finding[] {
  if (audit.suspicions.length === 0) return [];
  return [
    {
      id: 'evaluation-suspect',
      kind: 'Doubts about an evaluation',
      level: 'warning',
      title: 'There are reasons to doubt the evaluation',
      text: audit.suspicions.join(' '),
      evidence: { count: audit.models[0]?.count ?? 0, budget: 'all attacks of the run', seed: audit.seed },
      references: [nist('Gradient masking')],
    },
  ];
}
