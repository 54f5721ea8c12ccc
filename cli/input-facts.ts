import type { RunRecord } from '../core/contract/run.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { shortSha } from '../core/report/format.ts';
import { pathNamer } from '../core/service/path-names.ts';

/** What the run read: each model and data set with its place and the beginning of its SHA-256. */
export function inputFacts(
  { request, environment }: Pick<RunRecord, 'request' | 'environment'>,
  spec: MethodSpec | undefined,
  cwd: string,
): string[][] {
  const name = pathNamer(cwd);
  const sum = (sha256: string | undefined): string => (sha256 === undefined ? '' : `, SHA-256 ${shortSha(sha256)}`);
  const models = Object.entries(request.models).map(([role, model]) => {
    const title = spec?.models[role]?.title ?? role;
    if (model.kind === 'zoo') return [title, `${model.architecture}, initialised from the seed`];
    const weights = Object.entries(environment?.weights?.[role] ?? {}).map(
      ([file, sha256]) => ` with ${file}${sum(sha256)}`,
    );
    return [title, `${name(model.path)}${sum(environment?.models[role])}${weights.join('')}`];
  });
  const data = Object.entries(request.data).map(([role, { path, split }]) => [
    spec?.data[role]?.title ?? role,
    `${name(path)}, split ${split}${sum(environment?.data[role])}`,
  ]);
  return [...models, ...data];
}
