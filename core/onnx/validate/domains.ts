/** The standard domain has two spellings. */
export const domainOf = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

/** Domains whose operators onnxruntime brings along; nothing has to be loaded for them. */
export const knownDomains: ReadonlySet<string> = new Set([
  '',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview.training',
  'com.microsoft',
]);

/** Under which a function of the file is called. */
export const functionKey = (domain: string, name: string, overload: string): string =>
  `${domainOf(domain)}\n${name}\n${overload}`;
