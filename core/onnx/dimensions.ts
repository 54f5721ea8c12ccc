import { WorkbenchError } from '../base/errors.ts';
import type { Dim, OnnxModel, ValueInfo } from './graph.ts';

/** How the symbolic dimensions of the inputs, from an axis on, can be called: by their name in the file, or INPUT.AXIS. */
export function symbolicDimensions(inputs: readonly ValueInfo[], fromAxis = 0): readonly string[] {
  const names = inputs.flatMap(({ name, shape }) =>
    (shape ?? []).flatMap((dim, axis) =>
      typeof dim === 'number' || axis < fromAxis ? [] : [dim === '' ? `${name}.${axis}` : dim],
    ),
  );
  return [...new Set(names)];
}

/** The model with sizes in the place of symbolic dimensions of its inputs. @throws PARAM_INVALID for an unknown name */
export function fixDimensions(model: OnnxModel, sizes: Readonly<Record<string, number>>): OnnxModel {
  const names = Object.keys(sizes);
  if (names.length === 0) return model;
  const used = new Set<string>();
  const sizeOf = (dim: Dim, place: string): Dim => {
    const key = [dim, place].find((name) => typeof name === 'string' && name !== '' && Object.hasOwn(sizes, name));
    if (typeof dim === 'number' || key === undefined) return dim;
    used.add(String(key));
    return sizes[key] ?? dim;
  };
  const inputs = model.graph.inputs.map((input) =>
    input.shape === undefined
      ? input
      : { ...input, shape: input.shape.map((dim, axis) => sizeOf(dim, `${input.name}.${axis}`)) },
  );
  const unknown = names.filter((name) => !used.has(name));
  if (unknown.length > 0) {
    const known = symbolicDimensions(model.graph.inputs);
    throw new WorkbenchError('PARAM_INVALID', `The model has no symbolic dimension ${unknown.join(', ')}`, {
      hint: known.length === 0 ? 'All its sizes are fixed.' : `It has: ${known.join(', ')}.`,
    });
  }
  return { ...model, graph: { ...model.graph, inputs } };
}
