import { readdirSync } from 'node:fs';

/** One artifact's hash out of a JSON result. */
export const shaOf = (result: Record<string, unknown>, name: string): string | undefined => {
  const artifacts = result['artifacts'] as readonly { name: string; sha256: string }[];
  return artifacts.find((artifact) => artifact.name === name)?.sha256;
};

/** Half-written files below a folder. */
export const leftovers = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.includes('.tmp'));
