import type { Page } from 'playwright-core';
import type { Saved } from './open.ts';

/** Drops a file on the page Models, as a file manager does it. */
export async function dropModel(page: Page, { name, bytes }: Saved): Promise<void> {
  const transfer = await page.evaluateHandle(
    (file) => {
      const made = new DataTransfer();
      const octets = Uint8Array.from(atob(file.base64), (sign) => sign.codePointAt(0) ?? 0);
      made.items.add(new File([octets], file.name));
      return made;
    },
    { name, base64: bytes.toString('base64') },
  );
  const zone = page.getByTestId('model-file').locator('..');
  await zone.dispatchEvent('dragover', { dataTransfer: transfer });
  await zone.dispatchEvent('drop', { dataTransfer: transfer });
}
