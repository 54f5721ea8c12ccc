import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import type { ReportDocument } from './document.ts';
import type { ReportFacts } from './facts.ts';
import { impressionGrid } from './fixture/impressions.ts';
import { sampleDocument, sampleFacts } from './fixture/sample.ts';
import { renderReport } from './html.ts';
import { imageMarkup, pngSize } from './image.ts';
import { reportJson } from './json.ts';
import { toText } from './markup.ts';

async function samplePicture(): Promise<{ uri: string; width: number; height: number }> {
  const { bytes, width, height } = impressionGrid(4);
  const png = await sharp(bytes, { raw: { width, height, channels: 2 } })
    .png()
    .toBuffer();
  return { uri: `data:image/png;base64,${png.toString('base64')}`, width, height };
}

const picture = await samplePicture();
const report = renderReport(sampleDocument(picture.uri), sampleFacts);
const count = (text: string, part: RegExp) => [...text.matchAll(part)].length;

/** Replaces every string of a value, to see that all of them are escaped. */
function poison<T>(value: T, text: string): T;
function poison(value: unknown, text: string): unknown {
  if (typeof value === 'string') return text;
  if (Array.isArray(value)) return value.map((item: unknown) => poison(item, text));
  if (typeof value !== 'object' || value === null) return value;
  const keep = new Set(['kind', 'scale', 'size', 'level', 'align', 'state']);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, keep.has(key) ? item : poison(item, text)]),
  );
}

describe('a report in HTML', () => {
  it('is the same to the byte for the same input', () => {
    assert.ok(renderReport(sampleDocument(picture.uri), sampleFacts) === report);
  });

  it('runs no script and loads nothing', () => {
    assert.doesNotMatch(report, /<script|<link|<iframe|<object|@import|javascript:/i);
    assert.doesNotMatch(report, /https?:/i);
    assert.doesNotMatch(report, /\bon[a-z]+=/i);
    assert.doesNotMatch(report, /url\(/i);
    for (const [, target = ''] of report.matchAll(/\b(?:src|href)="([^"]*)"/g))
      assert.match(target, /^(?:#|data:image\/)/);
    assert.match(report, /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; img-src data:;/);
  });

  it('has a word for a parameter that holds nothing', () => {
    const empty = { title: 'Epsilons', isDefault: true };
    const parameters = [
      { ...empty, name: 'list', value: [] },
      { ...empty, name: 'text', value: '' },
    ];
    const html = renderReport(sampleDocument(picture.uri), { ...sampleFacts, parameters });
    assert.equal(count(html, /<td class="value keep">none<\/td>/g), 2);
  });

  it('says where the paths of its command start, where it names files', () => {
    assert.match(report, /Relative paths start in the folder that holds the workspace/);
    const bundled = { role: 'teacher', title: 'Teacher', name: 'bundled:lenet5-mnist', sha256: 'a'.repeat(64) };
    const facts = { ...sampleFacts, models: [bundled], data: [] };
    assert.doesNotMatch(renderReport(sampleDocument(picture.uri), facts), /Relative paths/);
  });

  it('has the hash of every file of a model that is in several', () => {
    const [model] = sampleFacts.models;
    assert.ok(model);
    const weights = { name: 'teacher.onnx.data', sha256: `${'b'.repeat(32)}${'c'.repeat(32)}` };
    const facts = { ...sampleFacts, models: [{ ...model, files: [weights] }] };
    assert.match(
      renderReport(sampleDocument(picture.uri), facts),
      /with teacher\.onnx\.data[^]*?<code class="sha">b{32}<wbr>c{32}<\/code>/,
    );
  });

  it('states its findings with what they rest on', () => {
    assert.match(report, /<a href="#findings">Findings<\/a>/);
    assert.match(
      report,
      /<li class="finding level-warning"><h3><span class="finding-level">Weak<\/span> The model can be cloned/,
    );
    assert.match(
      report,
      /<dt>Measured<\/dt><dd>93\.9\u202f%, 95\u202f% interval 93\.4 – 94\.4\u202f%, n\u00a0=\u00a010,000, seed\u00a00<\/dd>/,
    );
    assert.match(report, /MITRE ATLAS: AML\.T0024\.002 Extract ML Model; NIST AI 100-2: Model extraction</);
    const { findings: _, ...without } = sampleDocument(picture.uri);
    assert.doesNotMatch(renderReport(without, sampleFacts), /"finding|#findings/);
  });

  it('says something of each row of a picture, line by line', () => {
    assert.equal(count(report, /<ol class="row-notes">/g), 1);
    assert.match(report, /<li><span>Digit 3<\/span><span>twelve of them<\/span><\/li>/);
  });

  it('escapes every string of the document and of the facts', () => {
    const hostile = `</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"' onload='x`;
    const text = renderReport(poison(sampleDocument(picture.uri), hostile), poison(sampleFacts, hostile));
    assert.doesNotMatch(text, /<script|<img/i);
    assert.equal(count(text, /<\/style>/g), 1);
    assert.equal(count(text, /<\/title>/g), count(text, /<title/g));
    const tags = text.match(/<[a-z][^>]*>/gi) ?? [];
    assert.deepEqual(
      tags.filter((tag) => /\bon(?:error|load)\s*=/i.test(tag.replace(/"[^"]*"/g, '""'))),
      [],
    );
  });

  it('shows key figures with unit, interval and note', () => {
    assert.match(
      report,
      /Student, from impressions<\/div><div class="card-value">93\.9<span class="card-unit">\u202f%</,
    );
    assert.match(report, /95\u202f% CI 93\.4 – 94\.4\u202f%/);
  });

  it('draws each chart for wide and narrow pages, named for readers who do not see it, and follows it with its table', () => {
    const charts = sampleDocument(picture.uri).sections.flatMap(({ blocks }) =>
      blocks.filter(({ kind }) => kind === 'line' || kind === 'bar' || kind === 'heat-map'),
    );
    const halves = charts.filter((block) => 'size' in block && block.size === 'half');
    const drawings = report.match(/<svg class="drawing"[^>]*>/g) ?? [];
    assert.equal(drawings.length, 2 * charts.length - halves.length);
    for (const drawing of drawings) assert.match(drawing, /role="img" aria-label="[^"]+" aria-describedby="[^"]+"/);
    assert.equal(count(report, /<details class="twin">/g), charts.length);
  });

  it('has no id twice and no reference to a missing id', () => {
    const ids = [...report.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, id] of report.matchAll(/(?:href="#|aria-describedby=")([^"]+)"/g)) assert.ok(ids.includes(id), id);
  });

  it('opens and closes every element', () => {
    const open: string[] = [];
    for (const [tag, slash, name = ''] of report.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/gi)) {
      if (slash === '/') assert.equal(open.pop(), name, tag);
      else if (!tag.endsWith('/>') && !['meta', 'img', 'wbr'].includes(name)) open.push(name);
    }
    assert.deepEqual(open, []);
  });

  it('tells how the run was made', () => {
    for (const part of [
      sampleFacts.runId,
      'Zero-Shot Knowledge Distillation in Deep Networks',
      '1.29.0',
      'AMD EPYC 7B13',
      'cpu, asked for: auto',
      'student.onnx',
      '64.6\u00a0KiB',
      '3 of 6,000 impressions did not reach',
    ]) {
      assert.ok(report.includes(part), part);
    }
    const sha = sampleFacts.models[0]?.sha256 ?? '';
    assert.ok(report.includes(`${sha.slice(0, 32)}<wbr>${sha.slice(32)}`));
    assert.equal(count(report, /<strong class="set">set<\/strong>/g), 2);
  });

  it('gives the command without a change when the marks around its flags are taken away', () => {
    const block = /<pre class="code command">(.*?)<\/pre>/s.exec(report)?.[1] ?? '';
    assert.equal(block.replace(/<[^>]*>/g, ''), sampleFacts.command);
  });

  it('says above all else that a run failed, and why', () => {
    const facts: ReportFacts = {
      ...sampleFacts,
      state: 'failed',
      environment: null,
      finishedAtMs: null,
      error: { code: 'NUMERIC_DIVERGED', message: 'Loss became NaN at step 40.', hint: 'Lower the learning rate.' },
    };
    const empty: ReportDocument = { title: 'Nothing yet', conclusion: 'The run failed.', keyFigures: [], sections: [] };
    const text = renderReport(empty, facts);
    assert.match(text, /failed with NUMERIC_DIVERGED: Loss became NaN at step 40\..*Lower the learning rate\./s);
    assert.ok(text.indexOf('NUMERIC_DIVERGED') < text.indexOf('id="protocol"'));
  });
});

describe('an image of a report', () => {
  it('is sized from its header, in whole pixels', () => {
    assert.deepEqual(pngSize(picture.uri), { width: picture.width, height: picture.height });
    const text = toText(imageMarkup({ kind: 'image', title: '', source: picture.uri, alt: 'x', pixelated: true }));
    assert.match(text, new RegExp(`width="${picture.width * 6}" height="${picture.height * 6}"`));
  });

  it('is a film without scripts: the first row beside a chosen one, the last to begin with', () => {
    const film = { kind: 'image', title: '', source: picture.uri, alt: 'x', film: { gap: 2 } } as const;
    const text = toText(imageMarkup({ ...film, rowLabels: ['true', 'start', 'kept'] }, 'f7'));
    assert.equal(count(text, /data:image/g), 1);
    assert.equal(count(text, /<use href="#f7-grid"/g), 4);
    assert.match(text, /id="f7-film-0"><label for="f7-film-0">start<\/label>/);
    assert.match(text, /id="f7-film-1" checked><label for="f7-film-1">kept<\/label>/);
    assert.match(report, /\.film input:nth-of-type\(24\):checked ~ \.film-views > svg:nth-of-type\(24\)/);
  });

  it('is left out with a word when it is not embedded data', () => {
    for (const source of [
      'https://example.org/a.png',
      'data:image/svg+xml,<svg/>',
      'a.png',
      'data:image/png;base64,"',
    ]) {
      const text = toText(imageMarkup({ kind: 'image', title: '', source, alt: 'x' }));
      assert.match(text, /not embedded/);
      assert.doesNotMatch(text, /<img/);
    }
  });
});

describe('a report in JSON', () => {
  it('holds document and facts as they are, under a schema version', () => {
    const document = sampleDocument(picture.uri);
    const parsed: unknown = JSON.parse(JSON.stringify(reportJson(document, sampleFacts)));
    assert.deepEqual(parsed, { schema: 'palimpsest.report/1', document, facts: sampleFacts });
  });
});
