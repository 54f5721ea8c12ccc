import type { Finding, FindingEvidence } from './document.ts';
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
