import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { RunRequest } from '../contract/run.ts';
import { writeDurably } from '../jobs/durable-files.ts';
import { describeMachine } from '../jobs/environment.ts';
import { hashFiles } from '../jobs/inputs.ts';
import { bundledFolder } from './path-names.ts';

/** Files that have been opened in a process of their own, and whose opening harmed nothing, by their SHA-256. */
const Admitted = z.object({
  schema: z.literal('palimpsest.admitted/1'),
  palimpsest: z.string(),
  onnxruntime: z.string(),
  sha256: z.array(z.string()),
});

const kept = 1000;

/**
 * Opens each model file that this workspace has not seen before in a throw-away process (core/runtime/
 * isolated-load.ts). A file that costs the process its life is refused here; what is wrong with any other, the run says
 * itself. Bundled models and the zoo's are our own. @throws MODEL_UNREADABLE
 */
export async function admitModels(
  models: RunRequest['models'],
  workspaceDir: string,
  elapsed: () => number,
): Promise<void> {
  const bundled = resolve(bundledFolder);
  const paths = Object.values(models).flatMap((ref) => (ref.kind === 'file' ? [resolve(ref.path)] : []));
  const strangers = [...new Set(paths)].filter((path) => dirname(path) !== bundled);
  if (strangers.length === 0) return;
  const { palimpsest, onnxruntime } = describeMachine();
  const file = join(workspaceDir, 'admitted-models.json');
  const known = readAdmitted(file, palimpsest, onnxruntime);
  const passed: string[] = [];
  for (const path of strangers) {
    const sha256 = await hashFiles.hashModel('', { kind: 'file', path });
    if (known.includes(sha256)) continue;
    const { probeError, probeModel } = await import('../runtime/isolated-load.ts');
    const result = await probeModel(path, { elapsed });
    const error = result.kind === 'refused' ? undefined : probeError(path, result);
    if (error) throw error;
    // Of a model in several files the hash of one does not tell whether it is the same again.
    if (result.kind === 'passed' && !result.report.hasExternalData) passed.push(sha256);
  }
  if (passed.length === 0) return;
  const sha256 = [...known, ...passed].slice(-kept);
  const text = JSON.stringify({ schema: 'palimpsest.admitted/1', palimpsest, onnxruntime, sha256 }, null, 2);
  writeDurably(file, [new TextEncoder().encode(`${text}\n`)]);
}

/** None when the list is missing, damaged, or of another version: then files are opened apart once more. */
function readAdmitted(file: string, palimpsest: string, onnxruntime: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  try {
    const { data } = Admitted.safeParse(JSON.parse(text));
    return data?.palimpsest === palimpsest && data.onnxruntime === onnxruntime ? data.sha256 : [];
  } catch {
    return [];
  }
}
