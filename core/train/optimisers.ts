import { invariant } from '../base/errors.ts';
import { sizeOf, zeros, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';

type Values = Readonly<Record<string, Value>>;
type Tensors = Readonly<Record<string, Tensor>>;

export interface OptimiserInputs {
  readonly parameters: Values;
  /** Gradient of each parameter; a parameter without one stays as it is. */
  readonly grads: Readonly<Record<string, Value | undefined>>;
  /** Named like `stateFor`. */
  readonly state: Values;
  /** [scalarCount] float32: the row that `scalars` computed for this step. */
  readonly scalars: Value;
}

/**
 * A first-order optimiser as a graph. Bias corrections and rates depend on the step only, so they are computed on the
 * host in double precision and fed as one short row per step; the graph holds the elementwise work.
 */
export interface Optimiser {
  readonly kind: OptimiserKind;
  readonly scalarCount: number;
  /** The row for one update; `step` counts from 0. */
  scalars(learningRate: number, step: number): readonly number[];
  /** Initial state (zeros) of the given parameters. */
  stateFor(parameters: Tensors): Record<string, Tensor>;
  update(
    g: GraphBuilder,
    inputs: OptimiserInputs,
  ): { readonly parameters: Record<string, Value>; readonly state: Record<string, Value> };
}

export const optimiserKinds = ['sgd', 'adam', 'adamw'] as const;
export type OptimiserKind = (typeof optimiserKinds)[number];

export interface OptimiserOptions {
  /** SGD only; default 0. */
  readonly momentum?: number;
  /** SGD only; needs momentum. */
  readonly nesterov?: boolean;
  /** Added to the gradient as weightDecay · p (SGD, Adam), or taken from the parameter as lr · weightDecay · p (AdamW: default 0.01). */
  readonly weightDecay?: number;
  /** Adam and AdamW: decay of the first and second moment; default 0.9 and 0.999. */
  readonly beta1?: number;
  readonly beta2?: number;
  /** Adam and AdamW; default 1e-8. */
  readonly epsilon?: number;
  /** Adam and AdamW: use sign(gradient) in place of the gradient (Geiping et al. 2020, "Inverting gradients"). */
  readonly signed?: boolean;
}

export function createOptimiser(kind: OptimiserKind, options: OptimiserOptions = {}): Optimiser {
  return kind === 'sgd' ? sgd(options) : adam(kind, options);
}

/**
 * d = ∇ + λp; b ← μb + d; p ← p − lr·(d + μb with Nesterov, else b). The update of torch.optim.SGD without dampening;
 * starting from b = 0 is the same as PyTorch's b = d at the first step.
 */
function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: OptimiserOptions): Optimiser {
  return {
    kind: 'sgd',
    scalarCount: 1,
    scalars: (learningRate) => [learningRate],
    stateFor: (parameters) => (momentum === 0 ? {} : zeroState(parameters, ['momentum'])),
    update(g, { parameters, grads, state, scalars }) {
      const rate = pick(g, scalars, 0);
      return updateEach(parameters, grads, state, (p, grad, own) => {
        const d = weightDecay === 0 ? grad : g.add(grad, g.mul(p, weightDecay));
        if (momentum === 0) return { parameter: g.sub(p, g.mul(d, rate)), state: {} };
        const buffer = g.add(g.mul(own('momentum'), momentum), d);
        const direction = nesterov ? g.add(d, g.mul(buffer, momentum)) : buffer;
        return { parameter: g.sub(p, g.mul(direction, rate)), state: { momentum: buffer } };
      });
    },
  };
}

/**
 * Kingma and Ba 2015; decoupled decay (AdamW) after Loshchilov and Hutter 2019. PyTorch's update
 *   m ← β1 m + (1−β1)∇,  v ← β2 v + (1−β2)∇²,  p ← p − lr/(1−β1^t) · m / (√v/√(1−β2^t) + ε)
 * with the state kept as m/(1−β1) and v/(1−β2): two passes over each tensor fewer, the factors go into the scalars.
 */
function adam(kind: 'adam' | 'adamw', options: OptimiserOptions): Optimiser {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, signed = false } = options;
  const weightDecay = options.weightDecay ?? (kind === 'adamw' ? 0.01 : 0);
  const decoupled = kind === 'adamw' && weightDecay !== 0;
  return {
    kind,
    scalarCount: decoupled ? 3 : 2,
    scalars(learningRate, step) {
      const correction = Math.sqrt(1 - beta2 ** (step + 1)) / Math.sqrt(1 - beta2);
      const rate = (learningRate * correction * (1 - beta1)) / (1 - beta1 ** (step + 1));
      return [rate, epsilon * correction, ...(decoupled ? [1 - learningRate * weightDecay] : [])];
    },
    stateFor: (parameters) => zeroState(parameters, ['first', 'second']),
    update(g, { parameters, grads, state, scalars }) {
      const [rate, floor] = [pick(g, scalars, 0), pick(g, scalars, 1)];
      return updateEach(parameters, grads, state, (p, raw, own) => {
        const chosen = signed ? g.sign(raw) : raw;
        const grad = weightDecay === 0 || decoupled ? chosen : g.add(chosen, g.mul(p, weightDecay));
        const first = g.add(g.mul(own('first'), beta1), grad);
        const second = g.add(g.mul(own('second'), beta2), g.mul(grad, grad));
        const direction = g.div(first, g.add(g.sqrt(second), floor));
        const from = decoupled ? g.mul(p, pick(g, scalars, 2)) : p;
        return { parameter: g.sub(from, g.mul(direction, rate)), state: { first, second } };
      });
    },
  };
}

const pick = (g: GraphBuilder, row: Value, index: number): Value => g.gather(row, g.scalar(index, 'int64'), 0);

const stateName = (slot: string, parameter: string): string => `${slot}.${parameter}`;

function zeroState(parameters: Tensors, slots: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(
    slots.flatMap((slot) =>
      Object.entries(parameters).map(([name, value]) => [stateName(slot, name), zeros(value.dims, value.dtype)]),
    ),
  );
}

type UpdateOne = (
  parameter: Value,
  grad: Value,
  own: (slot: string) => Value,
) => { readonly parameter: Value; readonly state: Values };

function updateEach(
  parameters: Values,
  grads: OptimiserInputs['grads'],
  state: Values,
  update: UpdateOne,
): { parameters: Record<string, Value>; state: Record<string, Value> } {
  const next: Record<string, Value> = { ...parameters };
  const nextState: Record<string, Value> = { ...state };
  for (const [name, parameter] of Object.entries(parameters)) {
    const grad = grads[name];
    if (!grad || sizeOf(parameter.shape) === 0) continue;
    const result = update(parameter, grad, (slot) => {
      const value = state[stateName(slot, name)];
      invariant(value, `the optimiser state has ${stateName(slot, name)}`);
      return value;
    });
    next[name] = result.parameter;
    for (const [slot, value] of Object.entries(result.state)) nextState[stateName(slot, name)] = value;
  }
  return { parameters: next, state: nextState };
}
