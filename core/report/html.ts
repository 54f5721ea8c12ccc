import type { ReportDocument } from './document.ts';
import type { ReportFacts } from './facts.ts';
import { blocksMarkup, newCounter, notice } from './figure.ts';
import { findingsMarkup } from './findings.ts';
import { formatDuration, formatInstant } from './format.ts';
import { keyFigureCards } from './key-figures.ts';
import { markup, ownText, toText, type Markup } from './markup.ts';
import { inline, keepWords, prose } from './prose.ts';
import { protocolMarkup } from './protocol.ts';
import { printFooter, theme } from './theme.ts';

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * One HTML file that holds all it needs: no scripts, no links to other files, nothing that depends on the reader's
 * locale or clock. The same document and facts give the same bytes.
 */
export function renderReport(document: ReportDocument, facts: ReportFacts): string {
  const counter = newCounter();
  const sections = document.sections.map(
    (section, i) =>
      markup`<section id="section-${i + 1}"><h2>${keepWords(section.title)}</h2>${
        section.text !== undefined && markup`<div class="prose">${prose(section.text)}</div>`
      }${blocksMarkup(section.blocks, counter)}</section>`,
  );
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Palimpsest ${facts.environment?.palimpsest ?? ''}">
<meta name="description" content="${document.conclusion}">
<title>${document.title} · ${facts.runId}</title>
<style>${ownText(theme)}${ownText(printFooter(facts.runId))}</style>
</head>
<body>
<main>
${header(document, facts)}
${keyFigureCards(document.keyFigures)}
${alerts(facts)}
${contents(document)}
${findingsMarkup(document.findings ?? [])}
${sections}
${protocolMarkup(facts)}
</main>
<footer>Palimpsest ${facts.environment?.palimpsest ?? ''} · run ${facts.runId} · ${formatInstant(facts.finishedAtMs ?? facts.createdAtMs)}</footer>
</body>
</html>
`;
  return toText(page);
}

function header(document: ReportDocument, facts: ReportFacts): Markup {
  const { method, environment } = facts;
  const entries: (readonly [string, string])[] = [
    ['Method', method.title],
    ['Recipe', facts.recipe ?? 'none'],
    ['Seed', facts.seed === null ? 'not used' : String(facts.seed)],
    ['Device', environment === null ? 'none' : `${environment.deviceUsed}, ${threads(environment.threads)}`],
    ['Computing time', formatDuration(facts.durationMs)],
    ['Finished', facts.finishedAtMs === null ? 'not yet' : formatInstant(facts.finishedAtMs, 'minute')],
  ];
  return markup`<header><div class="masthead"><span class="wordmark">Palimpsest</span><span class="masthead-run"><span class="state ${facts.state}">${facts.state}</span> <code>${facts.runId}</code></span></div><h1>${keepWords(document.title)}</h1>${
    document.subtitle !== undefined && markup`<p class="subtitle">${document.subtitle}</p>`
  }<p class="conclusion">${inline(document.conclusion)}</p><dl class="strip">${entries.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>`;
}

function threads(count: number): string {
  return count === 1 ? '1 thread' : `${count} threads`;
}

/** What a reader must not miss stands above the first section. */
function alerts(facts: ReportFacts): Markup {
  const { error, state, warnings } = facts;
  const count = warnings.length;
  return markup`${
    state !== 'succeeded' &&
    notice(
      'warning',
      markup`<p>${
        error === undefined
          ? `The run is ${state}. What follows is what it had made until then.`
          : `The run ${state} with ${error.code}: ${error.message}`
      }</p>${error?.hint !== undefined && markup`<p>${error.hint}</p>`}`,
    )
  }${
    count > 0 &&
    notice(
      'warning',
      markup`<p>The run gave ${count === 1 ? 'a warning' : `${count} warnings`}; <a href="#warnings">${count === 1 ? 'it stands' : 'they stand'} in the protocol</a>.</p>`,
    )
  }`;
}

function contents(document: ReportDocument): Markup | false {
  if (document.sections.length < 2) return false;
  return markup`<nav aria-label="Contents"><ol>${
    (document.findings ?? []).length > 0 && markup`<li><a href="#findings">Findings</a></li>`
  }${document.sections.map(
    ({ title }, i) => markup`<li><a href="#section-${i + 1}">${title}</a></li>`,
  )}<li><a href="#protocol">Protocol</a></li></ol></nav>`;
}
