import { mostPictures } from './film.ts';

/** Figures: captions, legends and the parts of the drawings. Series colours are Okabe–Ito, tuned for a dark page. */
export const chartTheme = `
figure { margin: 26px 0 0; }
figcaption { font-size: 14px; font-weight: 600; line-height: 1.4; margin-bottom: 10px; text-wrap: balance; overflow-wrap: anywhere; }
.figure-number { color: var(--muted); font-weight: 400; margin-right: 4px; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 32px; }
.drawing { display: block; max-width: 100%; height: auto; overflow: visible; font-family: var(--sans); }
.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 22px; margin: 0 0 10px; padding: 0; list-style: none; font-size: 13px; }
.legend li { display: flex; align-items: center; gap: 7px; }
.legend-value { color: var(--muted); font-variant-numeric: tabular-nums; }
.swatch { flex: none; }

.s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); } .s4 { --c: var(--s4); }
.s5 { --c: var(--s5); } .s6 { --c: var(--s6); } .s7 { --c: var(--s7); }
.curve { fill: none; stroke: var(--c); stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.interval { fill: none; stroke: var(--c); stroke-width: 1.25; opacity: .75; }
.leading { stroke-width: 3.5; }
.band { fill: var(--c); opacity: .16; stroke: none; }
.dot, .bar { fill: var(--c); }
rect.bar { fill: color-mix(in srgb, var(--c) 82%, var(--paper)); }
.cells rect, .map-legend rect { shape-rendering: crispEdges; }
.whisker { fill: none; stroke: var(--ink); stroke-width: 1; }
.grid { stroke: var(--hair); stroke-width: 1; }
.axis { stroke: var(--muted); stroke-width: 1; }
.reference { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 5 4; }
.tick, .axis-title, .reference-label, .bar-value { fill: var(--muted); font-size: 12px; font-variant-numeric: tabular-nums; }
.axis-title, .reference-label { font-size: 11.5px; }
.reference-label { fill: var(--ink); }
.bar-value { font-size: 11px; fill: var(--ink); }
.ink { fill: var(--map-ink); } .above { fill: var(--map-above); } .below { fill: var(--map-below); }
.cell-unknown { fill: var(--raised); }
.cell-value { font-variant-numeric: tabular-nums; }
text.cell-value:not([fill]) { fill: var(--ink); }
text.cell-value.weak { fill: var(--muted); opacity: .55; }
text.cell-value.on-mid { fill: var(--on-mid); }
text.cell-value.on-ink { fill: var(--on-ink); }
.frame { fill: none; stroke: var(--rule); stroke-width: .5; }
.gauge { display: block; width: 100%; height: 8px; margin: 6px 0 5px; }
.gauge-track { fill: var(--rule); } .gauge-value { fill: var(--muted); } .gauge-interval { fill: var(--ink); }
.card:first-child .gauge-value { fill: var(--accent); }

.picture img { display: block; max-width: 100%; height: auto; }
.pixelated { image-rendering: pixelated; }
.film { display: flex; flex-wrap: wrap; gap: 6px 4px; align-items: center; }
.film .film-grid { position: absolute; }
.film input { margin: 0 2px 0 8px; }
.film .film-views, .film .note { flex: 1 0 100%; }
.film .film-views > svg { display: none; max-width: 100%; height: auto; image-rendering: pixelated; }
.film .film-views image { image-rendering: pixelated; }
${Array.from({ length: mostPictures }, (_, i) => `.film input:nth-of-type(${i + 1}):checked ~ .film-views > svg:nth-of-type(${i + 1})`).join(',\n')} { display: block; }
.picture.labelled { display: grid; grid-template-columns: max-content minmax(0, max-content) minmax(0, 1fr); gap: 4px 10px; }
.picture.labelled img { grid-column: 2; }
.row-labels { grid-column: 1; display: flex; flex-direction: column; max-width: 110px; }
.row-labels span { flex: 1; display: flex; align-items: center; justify-content: flex-end; text-align: right; }
.column-labels { grid-column: 2; display: flex; max-width: 100%; }
.column-labels span { flex: 1; text-align: center; align-self: end; padding: 0 3px; text-wrap: balance; }
.row-labels span, .column-labels span { font-size: 12px; line-height: 1.2; color: var(--muted); min-width: 0; }
.row-notes { grid-column: 3; display: flex; flex-direction: column; min-width: 0; margin: 0; padding: 0; list-style: none; }
.row-notes li { flex: 1; display: flex; flex-direction: column; justify-content: center; font-size: 12.5px; line-height: 1.35;
  font-variant-numeric: tabular-nums; }
.row-notes span + span { color: var(--muted); }
.absent { color: var(--muted); font-style: italic; }

.twin { margin-top: 8px; font-size: 12.5px; }
.twin summary { cursor: pointer; color: var(--muted); width: fit-content; }
.twin summary:hover { color: var(--accent); }
.twin .scroll { margin-top: 8px; max-height: 420px; overflow: auto; }
.twin table { font-size: 12.5px; }

@media screen and (max-width: 640px) {
  .wide { display: none; }
  .narrow { display: block; }
  .narrow .drawing, .pair .drawing { width: 100%; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .row-notes li { font-size: 11px; line-height: 1.2; }
}
`;
