import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { assetPath } from '../data/assets.ts';

/** Models that come with the workbench; `bundled:NAME` is NAME.onnx in it. */
export const bundledFolder = assetPath('models/');

export const bundledPrefix = 'bundled:';

/** Names files in commands: `bundled:NAME`, relative inside `base`, absolute elsewhere. */
export function pathNamer(base: string): (path: string) => string {
  return (path) => {
    if (dirname(path) === resolve(bundledFolder)) return `bundled:${basename(path, extname(path))}`;
    const inside = relative(base, path);
    const isInside = inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
    return isInside ? inside || '.' : path;
  };
}

/** Where the report of a run lies in its workspace. */
export function reportPaths(workspace: { readonly dir: string }, runId: string): { html: string; json: string } {
  const folder = join(workspace.dir, 'runs', runId);
  return { html: join(folder, 'report.html'), json: join(folder, 'report.json') };
}
