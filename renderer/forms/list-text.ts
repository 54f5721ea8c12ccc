/**
 * The text of a list while it is typed. Items are apart by commas, as values are read; a space before the last one marks
 * it as not ended yet, which reading does not mind.
 */
export function listItems(text: string): { readonly items: readonly string[]; readonly typed: string } {
  const items = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return isTyping(text) ? { items: items.slice(0, -1), typed: items.at(-1) ?? '' } : { items, typed: '' };
}

const isTyping = (text: string): boolean => /(^|,) [^,]*\S[^,]*$/.test(text);

/** The list after its line says `typed`: commas, semicolons and spaces end items. */
export function withTyped(items: readonly string[], typed: string): string {
  const parts = [...items, ...typed.split(/[\s,;]+/)];
  const last = /[\s,;]$/.test(typed) ? '' : (parts.at(-1) ?? '');
  const whole = (last === '' ? parts : parts.slice(0, -1)).filter((part) => part !== '');
  return last === '' ? whole.join(',') : [...whole, ` ${last}`].join(',');
}

/** The list with what was being typed as its last item. */
export function withEnded(text: string): string {
  const { items, typed } = listItems(text);
  return (typed === '' ? items : [...items, typed]).join(',');
}
