import { stream } from '../../base/rng.ts';
import { WorkbenchError } from '../../base/errors.ts';
import { cutAtLogits } from '../classifier.ts';
import { readModel } from '../read.ts';
import { mutateModel, type Seed } from './fuzz/mutate-model.ts';
import { fuzzSeeds } from './fuzz/seeds.ts';

/** A mutated model, the same for the same seed and number. */
export function mutantMaker(seed: number, { whole, operators } = fuzzSeeds()): (index: number) => Uint8Array {
  return (index) => {
    const rng = stream(seed, 'fuzz-onnx', index);
    const pick = (): Seed => {
      const seeds = rng.int(2) === 0 ? whole : operators;
      return seeds[rng.int(seeds.length)]!;
    };
    return mutateModel(pick(), pick(), rng);
  };
}

export type Verdict =
  | { readonly kind: 'read' }
  /** By a rule, or by a later step with a word of explanation. */
  | { readonly kind: 'refused'; readonly by: string }
  /** What must not happen. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** Reads a model, checks it and, where it passes, looks for a classifier in it. */
export function judge(bytes: Uint8Array): Verdict {
  try {
    cutAtLogits(readModel(bytes));
    return { kind: 'read' };
  } catch (error) {
    if (!(error instanceof WorkbenchError) || error.code === 'INTERNAL') return { kind: 'failed', error };
    return { kind: 'refused', by: ruleOf(error.details) ?? error.code };
  }
}

function ruleOf(details: unknown): string | undefined {
  return typeof details === 'object' && details !== null && 'rule' in details ? String(details.rule) : undefined;
}
