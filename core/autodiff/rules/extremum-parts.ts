import { differentiable, type RuleEntry } from '../rule.ts';

/** Elementwise Max or Min of the inputs: those that attain it share the cotangent equally, as in torch.maximum. */
export function extremum(op: 'Max' | 'Min'): RuleEntry {
  return differentiable(op, ({ x, y: [Y], dY: [dY], g, needs }) => {
    if (!Y || !dY) return [];
    if (x.length === 1) return [dY];
    const hits = x.map((value) => value && g.cast(g.equal(value, Y), Y.dtype));
    const share = g.div(dY, g.sumOf(hits.flatMap((hit) => hit ?? [])));
    return x.map((value, i) => {
      const hit = hits[i];
      return value && hit && needs(i) ? g.sumTo(g.mul(share, hit), value.shape) : undefined;
    });
  });
}
