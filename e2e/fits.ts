import type { Page } from 'playwright-core';

/** What is cut off or runs over: the page is moved sideways, or a text ends unseen with nothing that says the whole of it. */
export async function tooLong(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const main = document.querySelector('main');
    if (main && main.scrollWidth > main.clientWidth + 1) {
      const edge = main.getBoundingClientRect().left + main.clientWidth;
      const wide = [...main.querySelectorAll<HTMLElement>('*')].filter(
        (each) => each.getBoundingClientRect().right > edge + 1 && each.children.length === 0,
      );
      found.push(`runs over by ${main.scrollWidth - main.clientWidth} px: ${wide[0]?.outerHTML.slice(0, 160)}`);
    }
    for (const each of document.querySelectorAll<HTMLElement>('body *')) {
      const text = each.innerText?.trim() ?? '';
      // The table of runs has columns to be drawn wider, and a page for each of its rows.
      const isLeftOut = each.closest('[aria-hidden=true], .MuiDataGrid-root, input, textarea, [hidden]') !== null;
      if (text === '' || isLeftOut) continue;
      const { overflowX, overflowY, clipPath } = getComputedStyle(each);
      // What is for screen readers alone.
      if (clipPath !== 'none') continue;
      const isCutX = overflowX === 'hidden' && each.scrollWidth > each.clientWidth + 1;
      const isCutY = overflowY === 'hidden' && each.scrollHeight > each.clientHeight + 2;
      if ((isCutX || isCutY) && each.closest('[title]') === null) {
        found.push(`cut off: "${text.slice(0, 60)}" in ${each.className.slice(0, 60)}`);
      }
    }
    return found;
  });
}
