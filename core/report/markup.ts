/** HTML and SVG as values: whatever is put into a `markup` template is escaped, unless it is itself `markup`. */

const trusted: unique symbol = Symbol('trusted markup');

/** Text that is safe to write into the page. A symbol carries it, so parsed JSON can never pass for it. */
export interface Markup {
  readonly [trusted]: string;
}

export type Content = Markup | string | number | null | undefined | false | readonly Content[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that HTML forbids, and those that reorder the text around them (a file name must not rewrite a line). */
// oxlint-disable-next-line no-control-regex -- these characters are what it looks for
const unprintable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** Safe as element content and inside a quoted attribute. Forbidden characters become U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(unprintable, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Numbers are coordinates: at most two decimals. Numbers for readers come formatted, as strings. */
function write(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(Math.round(content * 100) / 100 || 0);
  if (trusted in content) return content[trusted];
  return content.map(write).join('');
}

export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let text = strings[0] ?? '';
  values.forEach((value, i) => {
    text += write(value) + (strings[i + 1] ?? '');
  });
  return { [trusted]: text };
}

/** For text that this folder wrote itself: the style sheet. Never for anything that comes from outside. */
export function ownText(text: string): Markup {
  return { [trusted]: text };
}

export function toText(content: Markup): string {
  return content[trusted];
}
