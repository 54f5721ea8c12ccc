import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toySpec } from '../cli/testing/toy-spec.ts';
import { docsWithGenerated, methodMarkdown } from './method-docs.ts';

describe('the page of a method', () => {
  it('has a row for each parameter, model, data role, recipe and metric', () => {
    const page = methodMarkdown(toySpec);
    for (const flag of ['--step-size', '--[no-]is-loud', '--student', '--test', '--recipe quick']) {
      assert.ok(page.includes(`| \`${flag}\` |`), flag);
    }
    assert.ok(page.includes('| `share` | Share | fraction | higher |'));
    assert.ok(page.includes('one of up, down, sideways | `up` |'));
  });

  it('begins with a command that names every role it cannot do without', () => {
    const { test, ...rest } = toySpec.data;
    assert.ok(test);
    const page = methodMarkdown({ ...toySpec, data: { ...rest, test: { ...test, optional: false } } });
    assert.ok(page.includes('```sh\npalimpsest run toy-count --test DIR\n```'), page.slice(0, 400));
  });

  it('keeps what people wrote around the generated part', () => {
    const first = docsWithGenerated('', 'old', 'Toy');
    assert.match(first, /^# Toy\n/);
    const edited = first.replace('# Toy', '# Toy\n\nRead this first.').concat('\nAnd this last.\n');
    const second = docsWithGenerated(edited, 'new', 'Toy');
    assert.match(second, /Read this first\.[^]*new[^]*And this last\./);
    assert.ok(!second.includes('old'));
    assert.equal(docsWithGenerated(second, 'new', 'Toy'), second);
  });
});
