import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableCsv } from './csv.ts';
import { findingsTable } from './findings.ts';
import { sampleDocument, sampleFacts } from './fixture/sample.ts';

describe('findings as a table', () => {
  it('have a line each with n, value, interval, budget, seed, catalogues and the command', () => {
    const findings = sampleDocument('').findings ?? [];
    const table = findingsTable(findings, sampleFacts.command);
    assert.equal(table.rows.length, findings.length);
    const [first] = findings;
    assert.ok(first);
    const { evidence, references } = first;
    const cell = (name: string): unknown => table.rows[0]?.[table.columns.findIndex(({ title }) => title === name)];
    assert.equal(cell('rule'), first.id);
    assert.equal(cell('n'), evidence.count);
    assert.equal(cell('value'), evidence.value ?? null);
    assert.equal(cell('low'), evidence.interval?.[0] ?? null);
    assert.equal(cell('budget'), evidence.budget);
    assert.equal(cell('seed'), evidence.seed);
    assert.equal(cell('command'), sampleFacts.command);
    for (const { id } of references) assert.ok(String(cell('references')).includes(id));
    assert.equal(tableCsv(table).split('\r\n').length, findings.length + 2);
  });
});
