import { invariant } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { sampleBilinear } from '../autodiff/rules/bilinear-parts.ts';

/**
 * An affine view of each image, bilinear with a zero border: torch.nn.functional.grid_sample over affine_grid with
 * align_corners = false. `x` [N, C, H, W]; `theta` [N, 2, 3] maps output to input coordinates in [−1, 1]. `wantsGradient`
 * chooses the form that is cheaper when x is differentiated; the values are the same up to rounding.
 */
export function affineView(g: GraphBuilder, x: Value, theta: Value, wantsGradient = false): Value {
  const grid = g.affineGrid(theta, x.shape);
  if (wantsGradient && x.shape[1] === 1) return sampleBilinear(g, x, grid);
  const [view] = g.op('GridSample', [x, grid], {
    mode: { type: 'string', value: 'linear' },
    padding_mode: { type: 'string', value: 'zeros' },
    align_corners: { type: 'int', value: 0 },
  });
  invariant(view, 'GridSample has an output');
  return view;
}
