import { markup, type Markup } from './markup.ts';

/** Plain text of a method as paragraphs. A blank line starts a new one, lines with "- " are a list, `x` is code. */
export function prose(text: string): Markup {
  const blocks = text
    .replaceAll('\r\n', '\n')
    .split(/\n[ \t]*\n/)
    .map((block) => block.trim())
    .filter((block) => block !== '');
  return markup`${blocks.map(paragraph)}`;
}

function paragraph(block: string): Markup {
  const lines = block.split('\n').map((line) => line.trim());
  if (lines.every((line) => line.startsWith('- '))) {
    return markup`<ul>${lines.map((line) => markup`<li>${inline(line.slice(2))}</li>`)}</ul>`;
  }
  return markup`<p>${inline(lines.join(' '))}</p>`;
}

/** Every second part between single backquotes is code; a lone backquote stays what it is. */
export function inline(text: string): Markup {
  const parts = text.split(/`([^`\n]+)`/);
  return markup`${parts.map((part, i) => (i % 2 === 1 ? markup`<code>${part}</code>` : bindUnits(part)))}`;
}

/** A percent sign does not start a line. */
function bindUnits(text: string): string {
  return text.replace(/(\d) %/g, '$1\u202f%');
}

/** For headings: short words with a hyphen, such as names of models, are not broken at it. */
export function keepWords(text: string): Markup {
  const words = text.split(/(\s+)/);
  return markup`${words.map((word) => (word.includes('-') && word.length <= 20 ? markup`<span class="keep">${word}</span>` : word))}`;
}
