/** Marks the style sheets that the window makes itself; the page's policy refuses all others. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';
