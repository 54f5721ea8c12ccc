import { invariant } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';

/**
 * An affine view of each image, bilinear with a zero border: torch.nn.functional.grid_sample over affine_grid with
 * align_corners = false. `x` [N, C, H, W]; `theta` [N, 2, 3] maps output to input coordinates in [−1, 1].
 */
export function affineView(g: GraphBuilder, x: Value, theta: Value): Value {
  const [view] = g.op('GridSample', [x, g.affineGrid(theta, x.shape)], {
    mode: { type: 'string', value: 'linear' },
    padding_mode: { type: 'string', value: 'zeros' },
    align_corners: { type: 'int', value: 0 },
  });
  invariant(view, 'GridSample has an output');
  return view;
}
