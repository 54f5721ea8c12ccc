import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { sampleDocument, sampleFacts } from './fixture/sample.ts';
import { reportSarif } from './sarif.ts';
import { sarifErrors } from './testing/sarif-schema.ts';

/**
 * What the standard says of the objects that the log is made of, closer than its official JSON schema does: identifiers
 * that hold, a level that fits the kind, and nothing that we do not mean to write.
 */
const bag = z.record(z.string(), z.unknown());
const text = z.strictObject({ text: z.string(), markdown: z.string().optional() });
const index = z.int().min(-1);
const component = z.strictObject({ name: z.string().optional(), index: index.optional(), guid: z.uuid().optional() });
const artifactLocation = z.strictObject({
  uri: z.string().regex(/^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/),
  index: index.optional(),
});
const descriptor = z.strictObject({
  id: z.string(),
  name: z.string().optional(),
  shortDescription: text.optional(),
});
const toolComponent = z.strictObject({
  name: z.string(),
  version: z.string().optional(),
  rules: z.array(descriptor).optional(),
  taxa: z.array(descriptor).optional(),
  isComprehensive: z.boolean().optional(),
  supportedTaxonomies: z.array(component).optional(),
});
const result = z
  .strictObject({
    ruleId: z.string(),
    ruleIndex: index,
    kind: z.enum(['notApplicable', 'pass', 'fail', 'review', 'open', 'informational']),
    level: z.enum(['none', 'note', 'warning', 'error']),
    message: text,
    locations: z.array(z.strictObject({ physicalLocation: z.strictObject({ artifactLocation }) })),
    taxa: z.array(z.strictObject({ id: z.string(), index, toolComponent: component })),
    properties: bag,
  })
  // Section 3.27.9: a level other than "none" belongs to a failure.
  .refine(({ kind, level }) => (kind === 'fail') === (level !== 'none'));
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.array(
    z.strictObject({
      tool: z.strictObject({ driver: toolComponent }),
      automationDetails: z.strictObject({ id: z.string() }),
      invocations: z.array(
        z.strictObject({
          commandLine: z.string(),
          executionSuccessful: z.boolean(),
          startTimeUtc: z.iso.datetime(),
          endTimeUtc: z.iso.datetime().optional(),
        }),
      ),
      artifacts: z.array(
        z.strictObject({
          location: artifactLocation,
          description: text,
          roles: z.array(z.enum(['analysisTarget', 'attachment', 'resultFile'])),
          hashes: z.record(z.string(), z.string()).optional(),
        }),
      ),
      taxonomies: z.array(toolComponent),
      results: z.array(result),
    }),
  ),
});

const log = sarif.parse(JSON.parse(JSON.stringify(reportSarif(sampleDocument(''), sampleFacts))));
const [run] = log.runs;
assert.ok(run);

describe('the findings as SARIF', () => {
  it('are a log after the official schema of SARIF 2.1.0, which refuses one that is not', () => {
    const whole = reportSarif(sampleDocument(''), sampleFacts);
    const unfinished = { ...sampleFacts, environment: null, finishedAtMs: null, state: 'failed' as const, models: [] };
    assert.deepEqual(sarifErrors(whole), []);
    assert.deepEqual(sarifErrors(reportSarif(sampleDocument(''), unfinished)), []);
    const [first] = whole.runs;
    const wrong = { ...first, results: [{ ...first?.results[0], level: 'bad', taxa: [{ index: -2 }] }], unknown: 1 };
    const errors = sarifErrors({ ...whole, runs: [wrong] }).join('\n');
    for (const place of ['/runs/0 ', '/runs/0/results/0/level', '/runs/0/results/0/taxa/0']) {
      assert.ok(errors.includes(place), `${place} in ${errors}`);
    }
  });

  it('name the rule, the audited file and its hash, and the entries of the catalogues, all by an index that holds', () => {
    const [found] = run.results;
    assert.ok(found && run.results.length === 1);
    assert.deepEqual([found.ruleId, found.kind, found.level], ['model-cloning', 'fail', 'warning']);
    assert.equal(run.tool.driver.rules?.[found.ruleIndex]?.id, found.ruleId);
    const place = found.locations[0]?.physicalLocation.artifactLocation;
    assert.equal(run.artifacts[place?.index ?? -1]?.location.uri, place?.uri);
    assert.match(run.artifacts[0]?.hashes?.['sha-256'] ?? '', /^[0-9a-f]{64}$/);
    for (const { id, index: at, toolComponent: of } of found.taxa) {
      assert.equal(run.taxonomies[of.index ?? -1]?.name, of.name);
      assert.equal(run.taxonomies[of.index ?? -1]?.taxa?.[at]?.id, id);
    }
    assert.deepEqual(
      found.taxa.map(({ id }) => id),
      ['AML.T0024.002', 'Model extraction'],
    );
  });

  it('say n, value, interval, budget, seed and the command that repeats them', () => {
    assert.deepEqual(run.results[0]?.properties, {
      n: 10_000,
      value: 0.9391,
      unit: 'fraction',
      confidence: 0.95,
      low: 0.9342,
      high: 0.9436,
      budget: '6,000 impressions of 150 steps',
      seed: 0,
      command: sampleFacts.command,
    });
    assert.equal(run.invocations[0]?.commandLine, sampleFacts.command);
  });

  it('are no results where a method states none, and information where nothing fails', () => {
    const { findings = [], ...without } = sampleDocument('');
    assert.deepEqual(reportSarif(without, sampleFacts).runs[0]?.results, []);
    const notes = findings.map((finding) => ({ ...finding, level: 'note' as const, references: [] }));
    const noted = sarif.parse(reportSarif({ ...without, findings: notes }, sampleFacts)).runs[0];
    assert.deepEqual([noted?.results[0]?.kind, noted?.results[0]?.level], ['informational', 'none']);
    assert.deepEqual(noted?.taxonomies, []);
  });

  it('lie in the file of the model that they are about, under a rule whose text has no figures', () => {
    const { findings = [], ...without } = sampleDocument('');
    const [file] = sampleFacts.models;
    assert.ok(file?.sha256);
    const models = [file, { ...file, role: 'compared', name: 'other.onnx' }];
    const about = findings.map((finding) => ({ ...finding, kind: 'Cloning', model: 'compared' }));
    const told = sarif.parse(reportSarif({ ...without, findings: about }, { ...sampleFacts, models })).runs[0];
    assert.deepEqual(told?.results[0]?.locations[0]?.physicalLocation.artifactLocation, {
      uri: 'other.onnx',
      index: 1,
    });
    assert.equal(told.tool.driver.rules?.[0]?.shortDescription?.text, 'Cloning');
  });

  it('give a file name that is no URI as one', () => {
    const models = sampleFacts.models.slice(0, 1).map((model) => ({ ...model, name: 'my model: ü.onnx' }));
    const { runs } = sarif.parse(reportSarif(sampleDocument(''), { ...sampleFacts, models }));
    assert.equal(runs[0]?.artifacts[0]?.location.uri, 'my%20model%3A%20%C3%BC.onnx');
  });
});
