import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fillTable } from '../../contract/live-table.ts';
import { UniversalData, type AuditData } from '../../report/audit.ts';
import { renderReport } from '../../report/html.ts';
import { sampleFacts } from '../../report/fixture/sample.ts';
import { reportSarif } from '../../report/sarif.ts';
import { sarifErrors } from '../../report/testing/sarif-schema.ts';
import { SeverityData } from '../../report/severity.ts';
import { storeModel, tinyNet, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import type { ReportInput } from '../define.ts';
import { artifactBytes, temporaryFolder, type Driven } from '../testing/drive.ts';
import { report } from './report.ts';
import { auditOf, brief, json, openAudits, warnings, type Given } from './testing/audits.ts';

const dir = temporaryFolder({ after });
const ran = await openAudits(dir);

const reportInput = (driven: Driven, params: Record<string, unknown> = {}): ReportInput => ({
  params,
  metrics: driven.metrics ?? {},
  series: {},
  artifactNames: [...driven.artifacts.keys()],
  json: (name) => (driven.artifacts.has(name) ? json(driven, name) : undefined),
  image: (name) =>
    driven.artifacts.has(name) ? `data:image/png;base64,${artifactBytes(driven, name).toString('base64')}` : undefined,
});

const figuresOf = ({ metrics, severity, corrected, harm, shared }: SeverityData['rows'][number]): number =>
  [metrics, severity, corrected, harm, shared?.corrected ?? {}].reduce(
    (sum, each) => sum + Object.keys(each).length,
    0,
  );

const whole = await ran({
  params: {
    universal: ['sgd', 'gd-uap', 'noise'],
    universalSteps: 50,
    universalImages: 40,
    severityBounds: true,
    stepCounts: [1, 4],
    corruptions: true,
  },
});

describe('a robustness audit', () => {
  it('has a worst case that no attack beats and that falls with epsilon', () => {
    const [model] = auditOf(whole).models;
    assert.ok(model && model.count === 48);
    assert.equal(model.worst.length, 2);
    for (const worst of model.worst) {
      const rows: AuditData['models'][number]['rows'] = model.rows.filter(
        ({ epsilon, isControl }) => epsilon === worst.epsilon && !isControl,
      );
      assert.equal(rows.length, 3);
      for (const row of rows) assert.ok(worst.robustAccuracy <= row.robustAccuracy);
    }
    assert.ok((model.worst[1]?.robustAccuracy ?? 1) < (model.worst[0]?.robustAccuracy ?? 0));
    assert.equal(whole.metrics?.['robustAccuracy'], model.worst[0]?.robustAccuracy);
    assert.ok(whole.fractions.every((fraction, i) => fraction <= 1 && fraction >= (whole.fractions[i - 1] ?? 0)));
  });

  it('fills a table while it computes, which ends as the report has it', () => {
    const [table] = whole.tables;
    const [model] = auditOf(whole).models;
    assert.ok(table && model && whole.tables.length === 1);
    const points = (series: string) =>
      Object.entries(whole.series[series] ?? {}).map(([step, value]) => ({ step: Number(step), value }));
    const rows = fillTable(table, (series) => points(series).at(-1));
    assert.deepEqual(
      rows.map(({ label, kind, cells }) => [label, kind, ...cells.map((cell) => cell?.value)]),
      [
        ...['fgsm', 'pgd', 'deepfool'].map((id) => {
          const own = model.rows.filter(({ attack }) => attack === id);
          return [own[0]?.title, 'usual', ...own.map(({ robustAccuracy }) => robustAccuracy)];
        }),
        ['Worst case', 'summary', ...model.worst.map(({ robustAccuracy }) => robustAccuracy)],
        ['No attack', 'apart', model.cleanAccuracy, model.cleanAccuracy],
      ],
    );
    assert.ok(rows.every(({ cells }) => cells.every((cell) => cell?.done === 48 && table.total === 48)));
  });

  it('writes a line for each image, attack and epsilon, and never leaves the ball', () => {
    const [head = '', ...lines] = artifactBytes(whole, 'records').toString().trim().split('\r\n');
    assert.equal(lines.length, 48 * 3 * 2);
    const column = (name: string): number => head.split(',').indexOf(name);
    for (const line of lines) {
      const cells = line.split(',');
      if (cells[column('verdict')] !== 'fooled') continue;
      assert.ok(Number(cells[column('linf')]) <= Number(cells[column('epsilon')]) + 1e-6, line);
      assert.notEqual(cells[column('reached')], cells[column('label')]);
    }
  });

  it('measures accuracy under corruptions, which a little noise hardly changes', () => {
    const { corruptions, models } = auditOf(whole);
    assert.deepEqual(corruptions?.strengths, [1, 3, 5]);
    const noise = corruptions?.rows.find(({ kind }) => kind === 'gaussian-noise');
    assert.ok(Math.abs((noise?.accuracies[0] ?? 0) - (models[0]?.cleanAccuracy ?? 1)) < 0.1);
    assert.equal(corruptions?.rows.length, 15);
  });

  it('keeps adversarial images as numbers and, rounded and tested again, as PNG', () => {
    assert.ok(artifactBytes(whole, 'adversarial.npz').includes('images.npy'));
    const { eightBit } = auditOf(whole);
    assert.ok(eightBit && eightBit.stillFooled <= eightBit.count);
    const zip = artifactBytes(whole, 'adversarial-png.zip').toString('latin1');
    assert.equal([...zip.matchAll(/\x89PNG/g)].length, eightBit.stillFooled);
  });

  it('measures severity of each attack, of the worst case and of universal perturbations', () => {
    const severity = SeverityData.parse(json(whole, 'severity'));
    assert.deepEqual([...new Set(severity.rows.map(({ attack }) => attack))].sort(), [
      'PGD',
      'PGD to the farthest class',
      'PGD to the nearest class',
      'deepfool',
      'fgsm',
      'gd-uap',
      'noise',
      'pgd',
      'sgd',
      'worst',
    ]);
    assert.match(severity.noSemantics ?? '', /no semantics|no bundled taxonomy/);
    assert.ok(
      severity.measures.some(({ name }) => name === 'v1') && severity.measures.some(({ name }) => name === 'v4'),
    );
    const reach = (name: RegExp): number =>
      severity.rows.find(({ title, epsilon }) => name.test(title) && epsilon === 0.15)?.corrected['v3']?.value ??
      Number.NaN;
    assert.ok(reach(/nearest/) < reach(/farthest/), `${reach(/nearest/)} to ${reach(/farthest/)}`);
    const universal = UniversalData.parse(json(whole, 'universal'));
    assert.deepEqual(
      universal.rows.map(({ kind, isDataFree }) => [kind, isDataFree]),
      [
        ['sgd', false],
        ['gd-uap', true],
        ['noise', false],
      ],
    );
  });

  it('counts a smallest perturbation as an attack within the budget only where it is one', () => {
    const { rows } = SeverityData.parse(json(whole, 'severity'));
    const [model] = auditOf(whole).models;
    const fooledBy = (epsilon: number): number =>
      rows.find((row) => row.attack === 'deepfool' && row.epsilon === epsilon)?.fooled ?? Number.NaN;
    for (const { epsilon, successRate, attacked } of model?.rows.filter(({ attack }) => attack === 'deepfool') ?? [])
      assert.equal(fooledBy(epsilon), Math.round((successRate ?? 0) * attacked));
    assert.ok(fooledBy(0.05) < fooledBy(0.15));
    for (const row of rows.filter(({ attack }) => attack === 'worst')) {
      const most = rows.filter((other) => other.epsilon === row.epsilon && other.family === 'white-box');
      for (const { fooled } of most) assert.ok(fooled <= row.fooled);
    }
  });

  it('sweeps the steps of PGD, of which more fool more', () => {
    const { rows } = SeverityData.parse(json(whole, 'severity'));
    const sweep = rows.filter(({ family, epsilon }) => family === 'sweep' && epsilon === 0.15);
    assert.deepEqual(
      sweep.map(({ steps }) => steps),
      [1, 4],
    );
    assert.ok((sweep[0]?.fooled ?? 48) < (sweep[1]?.fooled ?? 0));
    const titles = report(reportInput(whole)).sections.flatMap(({ blocks }) =>
      blocks.map((block) => 'title' in block && block.title),
    );
    assert.ok(titles.includes('Fooling rate over steps'));
  });

  it('tells what became of each answer, from which the figures can be counted again', () => {
    const { rows } = SeverityData.parse(json(whole, 'severity'));
    const [head = '', ...lines] = artifactBytes(whole, 'flips.csv').toString().trim().split('\r\n');
    assert.equal(lines.length, 48 * rows.length);
    const names = head.split(',');
    const records = lines.map((line) => {
      const cells = line.split(',');
      return (name: string): string => cells[names.indexOf(name)] ?? '';
    });
    for (const { attack, epsilon, steps, fooled, metrics } of rows) {
      const own = records.filter(
        (of) =>
          of('attack') === attack && of('epsilon') === String(epsilon ?? '') && of('steps') === String(steps ?? ''),
      );
      const changed = own.filter((of) => of('before') !== of('after'));
      assert.deepEqual([own.length, changed.length], [48, fooled], attack);
      const fell = own.reduce((sum, of) => sum + Number(of('old_rank_after')) - 1, 0) / 48;
      assert.ok(Math.abs(fell - (metrics['oldLabelNewRank']?.value ?? -1)) < 1e-9, attack);
    }
    const figures = artifactBytes(whole, 'severity.csv').toString().trim().split('\r\n').slice(1);
    assert.equal(
      figures.length,
      rows.reduce((sum, row) => sum + figuresOf(row), 0),
    );
  });

  it('shows images as they fall, each picture of the images that came since the last one', () => {
    const examples = [...whole.artifacts.keys()].filter((name) => name.startsWith('examples-'));
    assert.deepEqual(examples, ['examples-48']);
    assert.ok(artifactBytes(whole, 'examples-48').subarray(1, 4).equals(Buffer.from('PNG')));
  });

  it('reports findings with n, interval, budget and seed, that SARIF takes too', () => {
    const document = report(reportInput(whole));
    const ids = (document.findings ?? []).map(({ id }) => id);
    for (const id of ['evasion-white-box', 'universal-perturbation', 'severity']) assert.ok(ids.includes(id), id);
    for (const { evidence, references } of document.findings ?? []) {
      assert.ok(evidence.count > 0 && evidence.budget !== '' && evidence.seed === 3);
      assert.ok(references.length > 0);
    }
    const sarif = reportSarif(document, sampleFacts);
    assert.equal(sarif.runs[0]?.results.length, ids.length);
    assert.deepEqual(sarifErrors(sarif), []);
    const page = renderReport(document, sampleFacts);
    assert.match(page, /Accuracy over epsilon/);
    assert.match(page, /class="band s1"/);
    assert.match(page, /class="row-notes"/);
    assert.doesNotMatch(page, /NaN|undefined/);
  });

  it('does not depend on how many lanes there are', async () => {
    const two = await ran({ params: { lanes: 2 } });
    const one = await ran();
    assert.deepEqual(artifactBytes(two, 'records'), artifactBytes(one, 'records'));
    assert.deepEqual(artifactBytes(two, 'adversarial.npz'), artifactBytes(one, 'adversarial.npz'));
  });

  it('has the same worst case when attacks see survivors only', async () => {
    const spared = await ran({ params: { survivorsOnly: true } });
    const plain = auditOf(whole).models[0];
    const model = auditOf(spared).models[0];
    assert.deepEqual(
      model?.worst.map(({ robustAccuracy }) => robustAccuracy),
      plain?.worst.map(({ robustAccuracy }) => robustAccuracy),
    );
    const last = model?.rows.find(({ attack, epsilon }) => attack === 'pgd' && epsilon === 0.15);
    assert.ok((last?.attacked ?? 48) < 48);
  });

  it('reaches wanted classes', async () => {
    const wanted = await ran({ params: { attacks: ['pgd'], attackOptions: { pgd: { steps: 6 } }, goal: 'next' } });
    for (const line of artifactBytes(wanted, 'records').toString().trim().split('\r\n').slice(1)) {
      const [, , , , label, target, , verdict, reached] = line.split(',');
      assert.equal(Number(target), (Number(label) + 1) % 4);
      if (verdict === 'fooled') assert.equal(reached, target);
    }
  });

  describe('of several models', async () => {
    const elsewhere = temporaryFolder({ after });
    const other = storeModel(elsewhere, 'victim.onnx', await trainedOnShapes(tinyNet({ seed: 5 }), 60));
    const third = storeModel(elsewhere, 'third.onnx', await trainedOnShapes(tinyNet({ seed: 6 }), 60));
    const given: Given = {
      models: { compared: { kind: 'file', path: other }, compared3: { kind: 'file', path: third } },
    };
    // Runs while the tests before it do: its images lie elsewhere than theirs.
    const three = await ran({ ...given, context: { scratch: join(elsewhere, 'scratch') } });
    const titles = ['victim.onnx', 'victim.onnx (2)', 'third.onnx'];

    it('attacks each on the same images, and tells those of the same name apart', () => {
      const { models } = auditOf(three);
      assert.deepEqual(
        models.map(({ title, count }) => [title, count]),
        titles.map((title) => [title, 48]),
      );
      assert.deepEqual(models[0], auditOf(whole).models[0]);
      assert.deepEqual(
        three.tables.map(({ name, title }) => [name, title]),
        ['', '-compared', '-compared3'].map((end, i) => [`accuracy${end}`, `Robust accuracy of ${titles[i] ?? ''}`]),
      );
    });

    it('ranks the models within each attack, by fooling rate and by severity', () => {
      const { agreement } = SeverityData.parse(json(three, 'severity'));
      const within = agreement.filter(({ within: name }) => name.startsWith('attack PGD'));
      assert.ok(within.length > 0 && within.every(({ count }) => count === 3), JSON.stringify(agreement));
    });

    it('sets their worst cases beside each other in the report, with a finding for each', () => {
      const made = report(reportInput(three));
      const table = made.sections
        .flatMap(({ blocks }) => blocks)
        .find((block) => block.kind === 'table' && block.title === 'Worst case of each model');
      assert.ok(table?.kind === 'table');
      assert.deepEqual(
        table.rows.map(([title]) => title),
        titles,
      );
      assert.match(made.subtitle ?? '', /^victim\.onnx, victim\.onnx \(2\) and third\.onnx on 48 images/);
      assert.match(made.conclusion, /On the same images they leave .* of victim\.onnx \(2\) and .* of third\.onnx/);
      assert.deepEqual(
        new Set(made.findings?.map(({ model }) => model).filter((model) => model !== undefined)),
        new Set(['victim', 'compared', 'compared3']),
      );
    });

    it('goes on in the middle of the second one to the same bits', async () => {
      const stopped = await ran(given, { stopAt: (offer) => offer === Math.floor(three.checkpointCount / 2) });
      const resumed = await ran({ ...given, context: { resume: stopped.checkpoint } });
      for (const name of ['audit', 'severity', 'records'])
        assert.deepEqual(artifactBytes(resumed, name), artifactBytes(three, name));
    });
  });

  it('says when two roles have the same file, and what that means', async () => {
    const path = storeModel(dir, 'again.onnx', await trainedOnShapes(tinyNet({ seed: 5 }), 60));
    const file = { kind: 'file', path } as const;
    const params = { attacks: ['fgsm' as const, 'transfer' as const], attackOptions: {}, severity: false };
    const twice = await ran({ params, models: { compared: file, source: file, source2: file } });
    assert.match(warnings(twice), /Compared model and source of transfer are the same file: on that model attacks/);
    assert.match(warnings(twice), /Source of transfer and source of transfer 2 are the same file: a second copy/);
    assert.equal(auditOf(twice).remarks.length, 3);
    const told = report(reportInput(twice)).sections.flatMap(({ blocks }) =>
      blocks.map((block) => JSON.stringify(block)),
    );
    assert.ok(told.some((text) => text.includes('are the same file')));
  });
});

describe('an audit that is stopped', () => {
  const given: Given = {
    params: {
      universal: ['gd-uap', 'noise'],
      universalSteps: 40,
      corruptions: true,
      severityBounds: true,
      stepCounts: [2],
      attackOptions: { ...brief.attackOptions, pgd: { steps: 200 } },
    },
  };

  it('goes on from any checkpoint to the same bits', async () => {
    const straight = await ran(given);
    for (const at of [1, Math.floor(straight.checkpointCount / 2), straight.checkpointCount - 1]) {
      const stopped = await ran(given, { stopAt: (offer) => offer === at });
      assert.ok(stopped.checkpoint);
      const resumed = await ran({ ...given, context: { resume: stopped.checkpoint } });
      assert.deepEqual(resumed.metrics, straight.metrics);
      assert.deepEqual([...resumed.artifacts.keys()].sort(), [...straight.artifacts.keys()].sort());
      for (const name of straight.artifacts.keys())
        assert.deepEqual(artifactBytes(resumed, name), artifactBytes(straight, name), `${name} from ${at}`);
    }
  });

  it('ends at the next step when it is told to', async () => {
    await assert.rejects(ran(given, { cancelAt: (offer) => offer === 2 }), { name: 'AbortError' });
  });
});
