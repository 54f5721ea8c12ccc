import type { OnnxModel } from '../graph.ts';
import { readModel } from '../read.ts';
import { checkControlFlow } from './control-flow.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { checkMemory } from './memory.ts';

export interface ValidateOptions {
  /** The path of the file; external data are looked for beside it. */
  readonly path?: string | undefined;
  /** Instead of the default ones. */
  readonly limits?: Partial<Limits> | undefined;
}

/**
 * Holds a model against all rules of docs/hostile-files.md, before onnxruntime sees a byte of it. Bytes are read on the
 * way; of a model that is read already, the rules that remain are those about its graph. Throws a WorkbenchError whose
 * `details.rule` is the RuleId of the first rule that is broken.
 */
export function validateModel(given: Uint8Array | OnnxModel, options: ValidateOptions = {}): OnnxModel {
  const { path } = options;
  const limits = { ...defaultLimits, ...options.limits };
  if (given instanceof Uint8Array) return readModel(given, { path, limits });
  checkControlFlow(given.graph, { path }, limits);
  checkMemory(given, { path }, limits);
  return given;
}
