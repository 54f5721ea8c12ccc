import type { Finding, FindingEvidence, TableBlock } from './document.ts';
import { formatInterval, formatNumber, formatValue } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { inline } from './prose.ts';

const levelNames = { error: 'Fails', warning: 'Weak', note: 'Note' } as const;

/** What an auditor hands on, in the order given; nothing where there are no findings. */
export function findingsMarkup(findings: readonly Finding[]): Markup | false {
  if (findings.length === 0) return false;
  return markup`<section id="findings"><h2>Findings</h2><ol class="findings">${findings.map(
    (finding) =>
      markup`<li class="finding level-${finding.level}"><h3><span class="finding-level">${levelNames[finding.level]}</span> ${finding.title}</h3><p>${inline(finding.text)}</p><dl>${evidenceFacts(
        finding.evidence,
      ).map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}${
        finding.references.length > 0 &&
        markup`<div><dt>Catalogues</dt><dd>${finding.references.map(({ catalogue, id, name }) => `${catalogue}: ${id === name ? name : `${id} ${name}`}`).join('; ')}</dd></div>`
      }</dl></li>`,
  )}</ol><p class="note">The command under <a href="#protocol">“Make it again”</a> repeats every one of them.</p></section>`;
}

/** Findings for spreadsheets and programs: a line each, with all that it rests on and the command that repeats it. */
export function findingsTable(findings: readonly Finding[], command: string): TableBlock {
  const columns = 'rule,level,model,title,text,n,value,unit,low,high,budget,seed,references,command'.split(',');
  return {
    kind: 'table',
    title: 'Findings',
    columns: columns.map((title) => ({ title })),
    rows: findings.map(({ id, level, model, title, text, evidence, references }) => [
      id,
      level,
      model ?? null,
      title,
      text,
      evidence.count,
      evidence.value ?? null,
      evidence.unit ?? null,
      evidence.interval?.[0] ?? null,
      evidence.interval?.[1] ?? null,
      evidence.budget,
      evidence.seed,
      references.map((each) => `${each.catalogue}: ${each.id}`).join('; '),
      command,
    ]),
  };
}

/** Evidence as names and values, for people. */
function evidenceFacts({
  count,
  value,
  unit = '1',
  interval,
  budget,
  seed,
}: FindingEvidence): readonly (readonly [string, string])[] {
  const range = interval && `95\u202f% interval ${formatInterval(interval, unit, value ?? null)}`;
  const measured = [
    ...(value === undefined ? [] : [formatValue(value, unit)]),
    ...(range === undefined ? [] : [range]),
    `n\u00a0=\u00a0${formatNumber(count)}`,
    seed === null ? 'no seed' : `seed\u00a0${seed}`,
  ];
  return [
    ['Measured', measured.join(', ')],
    ['Budget', budget],
  ];
}
