import { WorkbenchError } from '../base/errors.ts';
import { float32, type FloatTensor, type Tensor } from '../base/tensor.ts';
import type { Victim } from './victim.ts';
import type { SharedGradients } from './victim-gradient.ts';

/**
 * Takes tensors that came from elsewhere as what the victim's client shared, matched by name; extra entries are refused,
 * too: they say that the file belongs to another model. float64 is rounded. @throws DATA_UNSUITABLE with every reason
 */
export function matchShared(
  victim: Victim,
  kind: SharedGradients['kind'],
  given: ReadonlyMap<string, Tensor>,
): SharedGradients {
  const reasons: string[] = [];
  const tensors: Record<string, FloatTensor> = {};
  for (const { name, dims } of victim.parameters) {
    const value = given.get(name);
    const expected = `"${name}" float32[${dims.join(', ')}]`;
    if (!value) reasons.push(`${expected} is missing`);
    else if (value.dims.join() !== dims.join()) reasons.push(`expected ${expected}, got [${value.dims.join(', ')}]`);
    else if (!(value.data instanceof Float32Array) && !(value.data instanceof Float64Array)) {
      reasons.push(`expected ${expected}, got ${value.dtype}`);
    } else {
      const data = Float32Array.from(value.data);
      const bad = data.findIndex((x) => !Number.isFinite(x));
      if (bad !== -1) reasons.push(`"${name}" has ${data[bad]} at ${bad}, expected finite numbers`);
      else tensors[name] = float32(dims, data);
    }
  }
  const known = new Set(victim.parameters.map(({ name }) => name));
  const prefix = commonPrefix([...known], [...given.keys()]);
  for (const name of given.keys()) if (!known.has(name)) reasons.push(`"${name}" is no parameter of the model`);
  if (reasons.length > 0) {
    throw new WorkbenchError('DATA_UNSUITABLE', `The gradient does not fit ${victim.title}: ${reasons.join('; ')}`, {
      hint: prefix
        ? `Every name has "${prefix}" in front, as parallel wrappers add it: save the tensors without that.`
        : 'Give the gradient of this very model: one tensor for each parameter, under its name in the file, of real numbers (float16, bfloat16, float32 or float64).',
      details: { reasons },
    });
  }
  return { kind, tensors };
}

/** What stands in front of each of the names that are wanted, in those that are given; '' for nothing. */
function commonPrefix(wanted: readonly string[], given: readonly string[]): string {
  const [first = ''] = wanted;
  const names = new Set(given);
  const prefixes = given.flatMap((name) => (name.endsWith(first) ? [name.slice(0, name.length - first.length)] : []));
  return prefixes.find((prefix) => wanted.every((name) => names.has(prefix + name))) ?? '';
}

/** √Σ g² over all parameters, in double precision. */
export function normOf({ tensors }: Pick<SharedGradients, 'tensors'>): number {
  let sum = 0;
  for (const { data } of Object.values(tensors)) for (const x of data) sum += x * x;
  return Math.sqrt(sum);
}

/**
 * Where the norm is below this, the loss is saturated: float32 cannot tell p from 1 any more, and neither labels nor images
 * can be told from the gradient.
 */
const vanishedNorm = 1e-12;

/** @throws DATA_UNSUITABLE when the gradient is not finite, or when there is nothing left to read in it */
export function refuseVanished(shared: SharedGradients): void {
  const norm = normOf(shared);
  if (!Number.isFinite(norm)) {
    throw new WorkbenchError('DATA_UNSUITABLE', `The gradient is not finite: its norm is ${norm}`, {
      hint: 'The network runs over on these images: check its weights, the range of its images and, after training, the learning rate.',
    });
  }
  if (norm > vanishedNorm) return;
  throw new WorkbenchError('DATA_UNSUITABLE', `The gradient vanished: its norm is ${norm.toExponential(1)}`, {
    hint: 'The model is sure of these images already. Nothing can be told from such a gradient; use fresh weights or other images.',
  });
}
