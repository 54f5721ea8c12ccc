import type { Page } from 'playwright-core';

/**
 * Electron's contextBridge over Playwright: functions of the preload become functions of the page. Values cross as JSON,
 * bytes as base64 and listeners by number.
 */
type Api = Readonly<Record<string, (...args: unknown[]) => unknown>>;

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

/** For the page: bytes anywhere in an answer. */
function pack(value: unknown): unknown {
  if (isBytes(value)) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, pack(each)]));
}

export async function exposeInPage(page: Page, name: string, api: Api): Promise<void> {
  const methods = Object.keys(api);
  await page.exposeFunction(`${name}$call`, async (method: string, args: readonly Packed[]) => {
    const answer = api[method]?.(...args.map((each) => unpack(page, each)));
    return pack(typeof answer === 'function' ? undefined : await answer);
  });
  await page.addInitScript(inPage, { name, methods });
}

type Packed = { readonly $bytes: string } | { readonly $listener: number } | { readonly value: unknown };

function unpack(page: Page, packed: Packed): unknown {
  if ('$bytes' in packed) return new Uint8Array(Buffer.from(packed.$bytes, 'base64'));
  if (!('$listener' in packed)) return packed.value;
  return (value: unknown): void => {
    const message = [packed.$listener, pack(value)] as const;
    // The page may be on its way to somewhere else.
    page.evaluate(([id, given]) => globalThis.$heard?.(id, given), message).catch(() => undefined);
  };
}

declare global {
  var $heard: ((listener: number, value: unknown) => void) | undefined;
}

/** Runs in the page, before anything of ours. */
function inPage({ name, methods }: { readonly name: string; readonly methods: readonly string[] }): void {
  const listeners: ((value: unknown) => void)[] = [];
  const toBase64 = (bytes: Uint8Array): string => {
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCodePoint(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  const wrap = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
    if (typeof value === 'function') {
      return { $listener: listeners.push((given) => Reflect.apply(value, undefined, [given])) - 1 };
    }
    return { value };
  };
  const open = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(open);
    if (typeof value !== 'object' || value === null) return value;
    if ('$bytes' in value) return Uint8Array.from(atob(String(value.$bytes)), (sign) => sign.codePointAt(0) ?? 0);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, open(each)]));
  };
  const call: unknown = Reflect.get(globalThis, `${name}$call`);
  if (typeof call !== 'function') return;
  globalThis.$heard = (id, value) => listeners[id]?.(open(value));
  const methodOf =
    (method: string) =>
    (...args: unknown[]) => {
      const answer: Promise<unknown> = Reflect.apply(call, undefined, [method, args.map(wrap)]);
      const opened = answer.then(open);
      // In Electron these two answer at once, with the function that ends them.
      return args.some((each) => typeof each === 'function') ? () => undefined : opened;
    };
  Reflect.set(globalThis, name, Object.fromEntries(methods.map((method) => [method, methodOf(method)])));
}
