/** The text of a list while it is typed: what a comma has ended are items, the rest is still being typed. */
export function listItems(text: string): { readonly items: readonly string[]; readonly typed: string } {
  const parts = text.split(',').map((part) => part.trim());
  const isEnded = text === '' || text.trimEnd().endsWith(',');
  // A list that came whole has no comma behind its last item.
  const items = parts.filter((part) => part !== '');
  return isEnded || !isTyping(text) ? { items, typed: '' } : { items: items.slice(0, -1), typed: items.at(-1) ?? '' };
}

/** A space before the last item marks it as being typed; values are read without it. */
const isTyping = (text: string): boolean => /(^|,) [^,]*$/.test(text);

/** The list after its line says `typed`: commas and spaces end items. */
export function withTyped(items: readonly string[], typed: string): string {
  const parts = [...items, ...typed.split(/[\s,;]+/)];
  const isEnded = /[\s,;]$/.test(typed);
  const whole = (isEnded ? parts : parts.slice(0, -1)).filter((part) => part !== '');
  const last = isEnded ? '' : (parts.at(-1) ?? '');
  if (last === '') return whole.length === 0 ? '' : `${whole.join(',')},`;
  return [...whole, ` ${last}`].join(',');
}
