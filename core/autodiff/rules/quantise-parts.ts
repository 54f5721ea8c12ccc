import { invariant } from '../../base/errors.ts';
import type { DType } from '../../base/tensor.ts';
import { quantisedRanges } from '../../onnx/spell-quantisation.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import type { RuleContext } from '../rule.ts';

/** A scale or zero point as it broadcasts to the quantised value. */
export function alongAxis(g: GraphBuilder, setting: Value, node: RuleContext['node'], shape: readonly number[]): Value {
  const [size = 1] = setting.shape;
  if (size === 1) return g.reshape(setting, []);
  const axis = node.attr.int('axis', 1);
  const at = axis < 0 ? axis + shape.length : axis;
  return g.reshape(
    setting,
    shape.map((_, i) => (i === at ? size : 1)),
  );
}

export function rangeOf(dtype: DType): readonly [number, number] {
  const range = quantisedRanges[dtype];
  invariant(range, `${dtype} is no type to quantise to`);
  return range;
}
