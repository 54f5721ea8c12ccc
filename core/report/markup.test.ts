import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { escapeHtml, markup, toText, type Content } from './markup.ts';
import { prose } from './prose.ts';

describe('markup templates', () => {
  it('escapes every character that could end text or an attribute', () => {
    assert.equal(escapeHtml(`<a b="c" d='e'>&`), '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
  });

  it('replaces characters that HTML forbids and those that reorder text', () => {
    assert.equal(escapeHtml('a\u0000b\u202ec\u2066d\ud800e\tf\n'), 'a\ufffdb\ufffdc\ufffdd\ufffde\tf\n');
  });

  it('escapes values but keeps markup inside markup', () => {
    const inner = markup`<b>${'<i>'}</b>`;
    assert.equal(toText(markup`<p>${inner}${['&', false, null]}${1 / 3}</p>`), '<p><b>&lt;i&gt;</b>&amp;0.33</p>');
  });

  it('does not take parsed JSON for markup', () => {
    const forged: Content = JSON.parse('["<script>"]');
    assert.equal(toText(markup`${forged}`), '&lt;script&gt;');
    const object: Content = JSON.parse('{"trusted markup": "<script>"}');
    assert.throws(() => markup`${object}`);
  });

  it('reads paragraphs, lists and code in prose and nothing else', () => {
    assert.equal(
      toText(prose('One\nline, 5 %.\n\n- a `x<y`\n- **b**')),
      '<p>One line, 5\u202f%.</p><ul><li>a <code>x&lt;y</code></li><li>**b**</li></ul>',
    );
  });
});
