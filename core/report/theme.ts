/** The look of a report: a quiet page, light or dark as the reader's system says, and A4 in print. */

import { chartTheme } from './theme-charts.ts';

const colours = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --raised: #f4f4f0; --ink: #1a1e22; --muted: #596169; --rule: #d9dbd8; --hair: #e8e9e6;
  --accent: #005a8d; --warn: #8f4a00; --warn-paper: #fdf4e3; --good: #00694c; --bad: #a32a00;
  --s1: #0072b2; --s2: #d55e00; --s3: #009e73; --s4: #cc79a7; --s5: #e69f00; --s6: #56b4e9; --s7: #4a4f55;
  --map-ink: #004f86; --map-above: #c14f00; --map-below: #0065a3; --on-ink: #ffffff; --on-mid: var(--ink);
  --serif: "Iowan Old Style", Charter, "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "Liberation Serif", serif;
  --sans: -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #111518; --raised: #191f23; --ink: #e3e6e8; --muted: #98a2a9; --rule: #30383e; --hair: #232a2f;
    --accent: #7cc4f0; --warn: #f0b35c; --warn-paper: #261f13; --good: #4fc79c; --bad: #ff8f66;
    --s1: #56b4e9; --s2: #e69f00; --s3: #1fbf91; --s4: #d98fb8; --s5: #e8743b; --s6: #f0e442; --s7: #b6bec4;
    --map-ink: #7cc4f0; --map-above: #f0924d; --map-below: #5fb4ec; --on-ink: #0d1114; --on-mid: #0d1114;
  }
}
`;

const page = `
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 400 15px/1.55 var(--sans); }
main, footer { max-width: 868px; margin: 0 auto; padding: 0 24px; }
main { padding-top: 28px; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; }
p, li { text-wrap: pretty; }
p { margin: 0 0 .8em; }
code, pre { font-family: var(--mono); font-size: .875em; }
table code, dd code { overflow-wrap: anywhere; }
h1, h2 { font-family: var(--serif); font-weight: 500; line-height: 1.2; letter-spacing: -.01em; text-wrap: balance;
  overflow-wrap: anywhere; }
h1 { font-size: 37px; margin: 30px 0 6px; }
h2 { font-size: 25px; margin: 0 0 14px; padding-top: 14px; border-top: 1px solid var(--rule); }
h3 { font-size: 15px; font-weight: 600; margin: 0 0 10px; }
section { margin-top: 44px; }
.prose { max-width: 680px; overflow-wrap: break-word; }
.prose ul, .notice ul { margin: 0 0 .8em; padding-left: 1.2em; }
.weak { color: var(--muted); }
.sha { display: block; max-width: 33ch; }

.masthead { display: flex; justify-content: space-between; align-items: baseline; gap: 16px; flex-wrap: wrap;
  padding-bottom: 10px; border-bottom: 1px solid var(--rule); font-size: 13px; color: var(--muted); }
.wordmark { font-family: var(--serif); font-size: 16px; font-weight: 600; letter-spacing: .01em; color: var(--ink); }
.masthead code { overflow-wrap: anywhere; }
.state { margin-right: 10px; color: var(--muted); }
.state::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 50%;
  background: currentColor; }
.state.succeeded { color: var(--good); }
.state.failed { color: var(--bad); }
.subtitle { font-size: 16px; color: var(--muted); margin: 0; text-wrap: balance; }
.conclusion { max-width: 700px; font: 400 20px/1.45 var(--serif); margin: 22px 0 26px; text-wrap: pretty; }
.strip { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 0 28px; margin: 0; }
.strip div { display: flex; gap: 12px; justify-content: space-between; padding: 6px 0; border-top: 1px solid var(--hair);
  font-size: 13px; }
.strip dt { color: var(--muted); white-space: nowrap; }
.strip dd { margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }

.key-figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 0 28px;
  margin-top: 34px; }
.card { display: grid; grid-row: span 5; grid-template-rows: subgrid; row-gap: 0; align-content: start; min-width: 0;
  margin-bottom: 20px; border-top: 2px solid var(--rule); padding-top: 10px; }
.card:first-child { border-top-color: var(--accent); }
.card-label { font-size: 13px; font-weight: 600; line-height: 1.35; margin-bottom: 4px; }
.card-value { font-size: 32px; line-height: 1.15; letter-spacing: -.015em; font-variant-numeric: tabular-nums lining-nums; }
.card:first-child .card-value { color: var(--accent); }
.card-unit { font-size: .6em; letter-spacing: 0; color: var(--muted); }
.card-unit.word { font-size: .45em; }
.card-interval, .card-note { font-size: 12px; line-height: 1.4; color: var(--muted); }
.card-interval { font-variant-numeric: tabular-nums; }
.card-note { margin-top: 2px; }

nav ol { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 34px 0 0; padding: 0; list-style: none; font-size: 13px; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }

.notice { display: grid; grid-template-columns: auto 1fr; gap: 12px; margin: 20px 0; padding: 10px 14px;
  border-left: 3px solid var(--accent); background: var(--raised); font-size: 14px; overflow-wrap: break-word; }
.notice > div { min-width: 0; }
.notice p:last-child, .notice ul:last-child { margin-bottom: 0; }
.notice-name { color: var(--accent); font-weight: 600; }
.notice.warning { border-left-color: var(--warn); background: var(--warn-paper); }
.notice.warning .notice-name { color: var(--warn); }
.findings { margin: 0; padding: 0; list-style: none; }
.finding { margin: 0 0 18px; padding: 2px 0 2px 14px; border-left: 3px solid var(--rule); break-inside: avoid; }
.finding.level-error { border-left-color: var(--bad); }
.finding.level-warning { border-left-color: var(--warn); }
.finding h3 { margin-bottom: 4px; }
.finding-level { margin-right: 4px; color: var(--muted); }
.finding.level-error .finding-level { color: var(--bad); }
.finding.level-warning .finding-level { color: var(--warn); }
.finding p { max-width: 680px; margin-bottom: 4px; }
.finding dl { margin: 0; font-size: 12.5px; line-height: 1.45; }
.finding dl div { display: grid; grid-template-columns: 84px 1fr; }
.finding dt { color: var(--muted); }
.finding dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.code { margin: 16px 0; padding: 12px 14px; background: var(--raised); border: 1px solid var(--hair); border-radius: 3px;
  line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; }
.command { user-select: all; }
.flag { display: inline-block; max-width: 100%; }
.keep { white-space: nowrap; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; line-height: 1.4; font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: 5px 20px 5px 0; text-align: left; vertical-align: top; font-weight: 400; }
th:last-child, td:last-child { padding-right: 2px; }
.number { text-align: right; white-space: nowrap; }
thead th.number { white-space: normal; }
thead th { font-size: 12.5px; font-weight: 600; vertical-align: bottom; border-bottom: 1px solid var(--muted); }
tbody tr + tr > * { border-top: 1px solid var(--hair); }
tbody tr:last-child > * { border-bottom: 1px solid var(--rule); }
.sub { display: block; font-size: 12px; color: var(--muted); }
.note { max-width: 680px; margin: 8px 0 0; font-size: 12.5px; line-height: 1.45; color: var(--muted); }

.protocol .part { margin-top: 28px; }
.protocol h2 { margin-bottom: 0; }
.papers { margin: 0; padding: 0; list-style: none; font-size: 13.5px; color: var(--muted); max-width: 680px; }
.papers cite { color: var(--ink); }
.log { margin: 0; padding-left: 1.6em; font-size: 13.5px; max-width: 680px; overflow-wrap: break-word; }
.facts { width: 100%; }
.facts td { overflow-wrap: anywhere; }
.facts .number, .facts .origin { overflow-wrap: normal; white-space: nowrap; }
.facts .help { color: var(--muted); font-size: 12.5px; min-width: 180px; }
.facts .value { max-width: 220px; overflow-wrap: break-word; }
.facts th[scope="row"] { min-width: 130px; }
.set { font-weight: 600; color: var(--accent); }
.facts-list { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 0 36px; margin: 0;
  font-size: 13.5px; }
.facts-list div { display: grid; grid-template-columns: 124px 1fr; padding: 5px 0; border-top: 1px solid var(--hair); }
.facts-list dt { color: var(--muted); }
.facts-list dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.threat { grid-template-columns: 1fr; }
.threat p { margin: 0 0 4px; }
footer { margin-top: 56px; padding-top: 12px; padding-bottom: 36px; font-size: 12px; color: var(--muted); }

@media (max-width: 640px) {
  main, footer { padding-left: 18px; padding-right: 18px; }
  h1 { font-size: 27px; }
  h2 { font-size: 21px; }
  .conclusion { font-size: 18px; }
  .key-figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 20px; }
  .card-value { font-size: 27px; }
  .notice { grid-template-columns: 1fr; gap: 2px; }
  th, td { padding-right: 14px; }
}
`;

const print = `
@page { size: A4; margin: 16mm 16mm 18mm; }
@media print {
  body { font-size: 10.5pt; background: #fff; }
  :root { --paper: #fff; --raised: #f6f6f4; }
  main, footer { max-width: none; padding: 0; }
  nav, .twin { display: none; }
  h1 { font-size: 24pt; margin-top: 18pt; }
  h2, h3, figcaption, .legend { break-after: avoid; }
  section { margin-top: 22pt; }
  .protocol .part { margin-top: 14pt; }
  figure, .card, .notice, .key-figures, .pair, tr, .facts-list div { break-inside: avoid; }
  figure.table { break-inside: auto; }
  thead { display: table-header-group; }
  thead, tbody tr:first-child { break-after: avoid; }
  tbody tr:last-child { break-before: avoid; }
  p { orphans: 3; widows: 3; }
  a { color: inherit; text-decoration: none; }
  .picture img { width: auto; max-height: 84mm; }
  .film input, .film label { display: none; }
  .scroll { overflow: visible; }
  svg, img, .state::before { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  table, .facts-list { font-size: 9pt; }
  .sub, .note, .facts .help, .card-note, .card-interval { font-size: 8pt; }
  .key-figures { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0 16pt; }
  .card-value { font-size: 20pt; }
  .strip { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  footer { display: none; }
}
`;

export const theme = colours + page + chartTheme + print;

/** Run id and page number at the foot of each printed page. */
export function printFooter(runId: string): string {
  const plain = runId.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 80);
  const font = 'font: 8pt system-ui, sans-serif; color: #596169;';
  return `@page { @bottom-left { content: "Palimpsest, run ${plain}"; ${font} } @bottom-right { content: counter(page) " / " counter(pages); ${font} } }`;
}
