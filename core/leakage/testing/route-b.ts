import { float32, floatsOf, type FloatTensor } from '../../base/tensor.ts';
import { GraphBuilder } from '../../autodiff/builder.ts';
import { gradients } from '../../autodiff/differentiate.ts';
import { inlineGraph } from '../../autodiff/inline.ts';
import { compile } from '../../runtime/session.ts';
import { crossEntropy } from '../../train/losses.ts';
import type { SharedGradients } from '../victim-gradient.ts';
import type { Victim } from '../victim.ts';
import { oneThread } from './zoo-victim.ts';

/**
 * The gradient of a distance by first-order derivatives alone: with v = ∂D/∂g′ held still, ∂D/∂x is the slope of ∇ₓ loss
 * along the weights v, [∇ₓ l(W + hv) − ∇ₓ l(W − hv)] / 2h with ‖hv‖ = 1e-3 ‖W‖.
 */
export async function routeB(
  victim: Victim,
  kind: 'l2' | 'cosine',
  own: SharedGradients,
  shared: SharedGradients,
  images: FloatTensor,
  probabilities: FloatTensor,
): Promise<Float32Array> {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', images.dims);
  const targets = g.input('targets', 'float32', probabilities.dims);
  const weights = Object.fromEntries(victim.parameters.map(({ name, dims }) => [name, g.input(name, 'float32', dims)]));
  const logits = inlineGraph(g, victim.graph, { inputs: { [victim.inputName]: x }, parameters: weights }).outputs[
    victim.logitsName
  ];
  if (!logits) throw new Error('the victim has logits');
  const [dx] = gradients(g, crossEntropy(g, logits, targets), [x]);
  if (!dx) throw new Error('the loss follows the images');
  g.output('dx', dx);
  const session = await compile(g.build('route B'), oneThread);
  const direction = slopes(victim, kind, own, shared);
  const length = (all: readonly ArrayLike<number>[]): number =>
    Math.sqrt(all.reduce((sum, part) => sum + Array.from(part).reduce((s, value) => s + value * value, 0), 0));
  const h =
    (1e-3 * length(victim.parameters.map(({ initial }) => floatsOf(initial)))) / length(Object.values(direction));
  const at = async (sign: number): Promise<Float32Array> => {
    const moved = victim.parameters.map(({ name, dims, initial }) => {
      const v = direction[name] ?? [];
      return [
        name,
        float32(
          dims,
          floatsOf(initial).map((w, i) => w + sign * h * (v[i] ?? Number.NaN)),
        ),
      ] as const;
    });
    const { dx: result } = await session.run({ x: images, targets: probabilities, ...Object.fromEntries(moved) });
    return floatsOf(result ?? float32([0], []));
  };
  const [plus, minus] = [await at(1), await at(-1)];
  await session.close();
  return plus.map((value, i) => (value - (minus[i] ?? Number.NaN)) / (2 * h));
}

/** ∂D/∂g′: 2(g′ − g), or −g/(|g′||g|) + ⟨g′, g⟩g′/(|g′|³|g|). */
function slopes(
  { parameters }: Victim,
  kind: 'l2' | 'cosine',
  own: SharedGradients,
  shared: SharedGradients,
): Record<string, Float64Array> {
  const read = ({ tensors }: SharedGradients, name: string): Float64Array =>
    Float64Array.from(tensors[name]?.data ?? []);
  const product = (a: SharedGradients, b: SharedGradients): number =>
    parameters.reduce((sum, { name }) => {
      const other = read(b, name);
      return sum + read(a, name).reduce((s, value, i) => s + value * (other[i] ?? 0), 0);
    }, 0);
  const [ownLength, length, overlap] = [
    Math.sqrt(product(own, own)),
    Math.sqrt(product(shared, shared)),
    product(own, shared),
  ];
  return Object.fromEntries(
    parameters.map(({ name }) => {
      const given = read(shared, name);
      const slope = (value: number, i: number): number => {
        const target = given[i] ?? 0;
        if (kind === 'l2') return 2 * (value - target);
        return -target / (ownLength * length) + (overlap * value) / (ownLength ** 3 * length);
      };
      return [name, read(own, name).map(slope)];
    }),
  );
}
