import {
  threatRows,
  type ArtifactFact,
  type InputFact,
  type ParameterFact,
  type PaperFact,
  type ReportFacts,
  type ThreatFact,
} from './facts.ts';
import { formatBytes, formatDuration, formatInstant, formatValue, missing, shortSha } from './format.ts';
import { markup, type Content, type Markup } from './markup.ts';
import { inline, prose } from './prose.ts';

/** How the result was made: everything that a third person needs to check it or to make it again. */
export function protocolMarkup(facts: ReportFacts): Markup {
  return markup`<section id="protocol" class="protocol"><h2>Protocol</h2>${part(
    'Purpose and limits',
    markup`<div class="prose">${prose(facts.method.purpose)}</div>${papers(facts.method.papers)}`,
  )}${facts.method.threatModel !== undefined && part('Threat model', threat(facts.method.threatModel))}${part('Make it again', commandMarkup(facts))}${
    facts.warnings.length > 0 && part('Warnings of the run', warnings(facts.warnings), 'warnings')
  }${part('Models and data', inputs(facts))}${part('Parameters', parameters(facts.parameters))}${part(
    'Run and environment',
    environment(facts),
  )}${part('Files of the run', artifacts(facts.artifacts))}</section>`;
}

function part(title: string, content: Content, id?: string): Markup {
  return markup`<section class="part"${id !== undefined && markup` id="${id}"`}><h3>${title}</h3>${content}</section>`;
}

function threat(model: ThreatFact): Markup {
  return markup`<dl class="facts-list threat">${threatRows(model).map(
    ([name, texts]) =>
      markup`<div><dt>${name}</dt><dd>${texts.map((text) => markup`<p>${inline(text)}</p>`)}</dd></div>`,
  )}</dl>`;
}

function papers(list: readonly PaperFact[]): Markup | false {
  if (list.length === 0) return false;
  return markup`<ul class="papers">${list.map(
    ({ title, authors, venue, year }) => markup`<li>${authors}. <cite>${title}</cite>. ${venue}, ${String(year)}.</li>`,
  )}</ul>`;
}

function commandMarkup(facts: ReportFacts): Markup {
  const again =
    facts.environment?.deviceUsed === 'cpu'
      ? 'On the CPU, the same files, seed, thread count and versions give the same bits.'
      : 'The same files, seed and versions give the same protocol; bits may differ between devices.';
  const isFile = ({ sha256, name }: InputFact): boolean => sha256 !== null && !name.startsWith('bundled:');
  const places = [...facts.models, ...facts.data].some(isFile)
    ? ' Relative paths start in the folder that holds the workspace; elsewhere, a file is the same if its SHA-256 is the one below.'
    : '';
  // A line breaks between flags, never inside one; what is copied is the command as it is.
  const command = facts.command.split(/(?= --?[A-Za-z])/).map((word) => {
    const start = word.startsWith(' ') ? 1 : 0;
    return markup`${word.slice(0, start)}<span class="flag">${word.slice(start)}</span>`;
  });
  return markup`<pre class="code command">${command}</pre><p class="note">${again}${places}</p>`;
}

function warnings(list: readonly string[]): Markup {
  return markup`<ol class="log">${list.map((text) => markup`<li>${text}</li>`)}</ol>`;
}

function table(heads: readonly { title: string; isNumber?: boolean }[], rows: readonly Markup[], empty: string) {
  if (rows.length === 0) return markup`<p class="note">${empty}</p>`;
  const head = heads.map(
    ({ title, isNumber }) => markup`<th scope="col"${isNumber === true && markup` class="number"`}>${title}</th>`,
  );
  return markup`<div class="scroll"><table class="facts"><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** In full: who checks an input against a printed report needs all of it. */
function fullSha(sha256: string | null): Markup {
  if (sha256 === null) return markup`<span class="weak">none, made from the seed</span>`;
  return markup`<code class="sha">${sha256.slice(0, 32)}<wbr>${sha256.slice(32)}</code>`;
}

function inputs(facts: ReportFacts): Markup {
  const row = (kind: string) => (input: InputFact) =>
    markup`<tr><th scope="row">${input.title}<span class="sub">${kind}, <code>${input.role}</code></span></th><td>${input.name}${
      input.note !== undefined && markup`<span class="sub">${input.note}</span>`
    }${(input.files ?? []).map(({ name }) => markup`<span class="sub">with ${name}</span>`)}</td><td>${fullSha(input.sha256)}${(input.files ?? []).map(({ sha256 }) => markup`<span class="sub">${fullSha(sha256)}</span>`)}</td></tr>`;
  return table(
    [{ title: 'Role' }, { title: 'Name' }, { title: 'SHA-256' }],
    [...facts.models.map(row('model')), ...facts.data.map(row('data'))],
    'The run read no files.',
  );
}

function parameters(list: readonly ParameterFact[]): Markup {
  const rows = list.map((parameter) => {
    const value = parameterValue(parameter);
    return markup`<tr><th scope="row">${parameter.title}<span class="sub"><code>${parameter.name}</code></span></th><td class="${value.length <= 20 ? 'value keep' : 'value'}">${value}</td><td class="origin">${
      parameter.isDefault ? markup`<span class="weak">default</span>` : markup`<strong class="set">set</strong>`
    }</td><td class="help">${parameter.help}${
      parameter.source !== undefined && markup`<span class="sub">Default: ${parameter.source}</span>`
    }</td></tr>`;
  });
  return table(
    [{ title: 'Parameter' }, { title: 'Value' }, { title: 'Origin' }, { title: 'Meaning' }],
    rows,
    'The method has no parameters.',
  );
}

/** Text of a parameter's value: numbers with their unit, names as they are, lists and objects as JSON. */
function parameterValue({ value, unit }: Pick<ParameterFact, 'value' | 'unit'>): string {
  if (value === null || value === undefined) return missing;
  if (typeof value === 'number') return formatValue(value, unit ?? '1');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'number' || typeof item === 'string')) {
    return value.map((item) => parameterValue({ value: item, unit })).join(', ');
  }
  return JSON.stringify(value) ?? missing;
}

function environment(facts: ReportFacts): Markup {
  const where = facts.environment;
  const entries: (readonly [string, string])[] = [
    ['Run', facts.runId],
    ['Method', `${facts.method.id}, version ${facts.method.version}`],
    ['Created', formatInstant(facts.createdAtMs)],
    ['Finished', facts.finishedAtMs === null ? 'not yet' : formatInstant(facts.finishedAtMs)],
    [
      'Computing time',
      formatDuration(facts.durationMs) + (facts.jobs === undefined ? '' : `, ${attempts(facts.jobs)}`),
    ],
  ];
  if (facts.peakMemoryBytes !== undefined) entries.push(['Peak memory', formatBytes(facts.peakMemoryBytes)]);
  if (where === null) entries.push(['Environment', 'not recorded: the run never started']);
  else {
    entries.push(
      [
        'Device',
        where.deviceAsked === where.deviceUsed
          ? where.deviceUsed
          : `${where.deviceUsed}, asked for: ${where.deviceAsked}`,
      ],
      ['Threads', `${where.threads} of ${where.cores} cores`],
      ['Processor', where.cpu],
      ['Platform', where.platform],
      ['Palimpsest', where.palimpsest],
      ['onnxruntime', where.onnxruntime],
      ['Node.js', where.node],
    );
  }
  return markup`<dl class="facts-list">${entries.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function attempts(jobs: number): string {
  return jobs === 1 ? 'in one go' : `in ${jobs} attempts`;
}

function artifacts(list: readonly ArtifactFact[]): Markup {
  const rows = list.map(
    (artifact) =>
      markup`<tr><th scope="row">${artifact.title}<span class="sub"><code>${artifact.name}</code></span></th><td>${artifact.mediaType}</td><td class="number">${formatBytes(artifact.sizeBytes)}</td><td><code title="${artifact.sha256}">${shortSha(artifact.sha256)}</code></td></tr>`,
  );
  return table(
    [{ title: 'File' }, { title: 'Type' }, { title: 'Size', isNumber: true }, { title: 'SHA-256' }],
    rows,
    'The run wrote no files.',
  );
}
