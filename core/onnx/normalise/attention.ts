import { int64 } from '../../base/tensor.ts';
import type { GraphNode } from '../graph.ts';
import { floatOf, intOf, type LiftScope } from './lift.ts';
import { Steps } from './steps.ts';

const outputs = ['present_key', 'present_value', 'qk_matmul_output'];

/** What an attention asks that has no place in a classifier. */
function refusal(node: GraphNode, scope: LiftScope): string | undefined {
  if (node.inputs.slice(4).some((name) => name !== '')) return 'Attention with a cache of past keys';
  const used = outputs.find((_, i) => scope.isUsed(node.outputs[i + 1] ?? ''));
  if (used !== undefined) return `Attention whose output ${used} is used`;
  const isWindowed = ['left_window_size', 'right_window_size'].some((name) => intOf(node, name, -1) >= 0);
  return isWindowed ? 'Attention with a sliding window' : undefined;
}

/**
 * Y = softmax(softcap(Q·Kᵀ·scale) + mask)·V. Q, K, V are [N, heads, S, D], or [N, S, heads·D] with the numbers of heads
 * as attributes; a query head shares keys and values with its neighbours where there are fewer heads of those. Masked
 * scores are −∞; a query to which the mask leaves no key gives 0.
 */
export function attention(node: GraphNode, scope: LiftScope): readonly GraphNode[] {
  const reason = refusal(node, scope);
  if (reason !== undefined) return scope.refuse(node, reason);
  const [Q = '', K = '', V = '', mask = ''] = node.inputs;
  const steps = new Steps(node, scope);
  const [queryHeads, keyHeads] = [intOf(node, 'q_num_heads', 0), intOf(node, 'kv_num_heads', 0)];
  const isFlat = queryHeads > 0;
  const split = (value: string, heads: number): string =>
    isFlat ? steps.transpose(steps.reshape(value, 0, 0, heads, -1), 0, 2, 1, 3) : value;
  const q = split(Q, queryHeads);
  const counts = isFlat ? [queryHeads, keyHeads] : [scope.dimOf(Q, 1), scope.dimOf(K, 1)];
  if (counts.some((count) => (count ?? 0) > headLimit))
    return scope.refuse(node, `Attention of over ${headLimit} heads`);
  const [k, v] = [K, V].map((value) => shared(steps, split(value, keyHeads), counts));
  let scores = steps.add('MatMul', [scaled(steps, node, q), steps.transpose(k ?? '', 0, 1, 3, 2)]);
  const cap = floatOf(node, 'softcap', 0);
  if (cap > 0) {
    const [limit, tanh] = [steps.number(cap), steps.add('Tanh', [steps.add('Div', [scores, steps.number(cap)])])];
    scores = steps.add('Mul', [tanh, limit]);
  }
  if (mask !== '') {
    const isBoolean = scope.dtypeOf(mask) === 'bool';
    scores = isBoolean ? allowedOnly(steps, mask, scores) : steps.add('Add', [scores, mask]);
  }
  if (intOf(node, 'is_causal', 0) !== 0) scores = allowedOnly(steps, causal(steps, q, k ?? ''), scores);
  const mixed = steps.add('MatMul', [mask === '' ? softmax(steps, scores) : heldSoftmax(steps, scores), v ?? '']);
  if (isFlat) steps.reshape(steps.transpose(mixed, 0, 2, 1, 3), 0, 0, -1);
  return steps.finish();
}

const softmax = (steps: Steps, scores: string): string =>
  steps.add('Softmax', [scores], { axis: { type: 'int', value: -1 } });

/** 0 in a row of −∞, without a NaN on the way there or back. */
function heldSoftmax(steps: Steps, scores: string): string {
  const largest = steps.add('ReduceMax', [scores, steps.ints(-1)]);
  const [isEmpty, zero] = [steps.add('Equal', [largest, steps.number(-Infinity)]), steps.number(0)];
  return steps.add('Where', [isEmpty, zero, softmax(steps, steps.add('Where', [isEmpty, zero, scores]))]);
}

const headLimit = 4096;

/** Each of fewer heads stands for several neighbouring ones. */
function shared(steps: Steps, value: string, [many, few]: readonly (number | undefined)[]): string {
  if (many === undefined || few === undefined || many === few) return value;
  const heads = Array.from({ length: many }, (_, i) => Math.floor((i * few) / many));
  return steps.add('Gather', [value, steps.constant(int64([many], heads))], { axis: { type: 'int', value: 1 } });
}

/** By the attribute, or by 1/√D; the size of a head is known when the graph is typed. */
function scaled(steps: Steps, node: GraphNode, q: string): string {
  const scale = floatOf(node, 'scale', 0);
  if (scale !== 0) return steps.add('Mul', [q, steps.number(scale)]);
  const size = steps.add('Cast', [steps.sizeOf(q, -1)], { to: { type: 'int', value: 1 } });
  return steps.add('Div', [q, steps.add('Sqrt', [size])]);
}

const allowedOnly = (steps: Steps, allowed: string, scores: string): string =>
  steps.add('Where', [allowed, scores, steps.number(-Infinity)]);

/** [S of the queries, S of the keys]: a query sees its own place and those before it. */
function causal(steps: Steps, q: string, k: string): string {
  const places = (value: string, axis: number): string => {
    const size = steps.add('Squeeze', [steps.sizeOf(value, 2), steps.ints(0)]);
    const [zero, one] = [0, 1].map((number) => steps.constant(int64([], [number])));
    return steps.add('Unsqueeze', [steps.add('Range', [zero ?? '', size, one ?? '']), steps.ints(axis)]);
  };
  return steps.add('LessOrEqual', [places(k, 0), places(q, 1)]);
}

/** No tensor has more. */
const axesLimit = 64;

/** Y = X / √(mean X² + ε) · scale; the mean goes over `axis` and all axes after it. */
export function rmsNormalization(node: GraphNode, scope: LiftScope): readonly GraphNode[] {
  const [X = '', scale = ''] = node.inputs;
  const axis = intOf(node, 'axis', -1);
  const rank = scope.rankOf(X);
  if (axis >= 0 && rank === undefined)
    return scope.refuse(node, 'RMSNormalization from an axis of a value of unknown rank');
  const count = axis < 0 ? -axis : (rank ?? 0) - axis;
  if (count < 1 || count > axesLimit) return scope.refuse(node, `RMSNormalization from axis ${axis}`);
  const steps = new Steps(node, scope);
  const axes = steps.ints(...Array.from({ length: count }, (_, i) => i - count));
  const mean = steps.add('ReduceMean', [steps.add('Mul', [X, X]), axes]);
  const deviation = steps.add('Sqrt', [steps.add('Add', [mean, steps.number(floatOf(node, 'epsilon', 1e-5))])]);
  steps.add('Mul', [steps.add('Div', [X, deviation]), scale]);
  return steps.finish();
}

/**
 * Turns pairs of features by the angles of their places: (a, b) → (a·cos − b·sin, a·sin + b·cos). X is [N, heads, S, D],
 * or [N, S, heads·D] with `num_heads`; pairs are the halves of D, or neighbours when interleaved; features after
 * `rotary_embedding_dim` stay.
 */
export function rotaryEmbedding(node: GraphNode, scope: LiftScope): readonly GraphNode[] {
  const [X = '', cosines = '', sines = '', places = ''] = node.inputs;
  const heads = intOf(node, 'num_heads', 0);
  const turned = intOf(node, 'rotary_embedding_dim', 0);
  const isFlat = heads > 0 && scope.rankOf(X) !== 4;
  const steps = new Steps(node, scope);
  const last = { axis: { type: 'int', value: -1 } } as const;
  const x = isFlat ? steps.transpose(steps.reshape(X, 0, 0, heads, -1), 0, 2, 1, 3) : X;
  // [N, 1, S, D/2], the same for all heads.
  const [cos, sin] = [cosines, sines].map((cache) => {
    const chosen = places === '' ? cache : steps.add('Gather', [cache, places], { axis: { type: 'int', value: 0 } });
    return steps.add('Unsqueeze', [chosen, steps.ints(1)]);
  });
  const part = (from: number, to: number): string =>
    steps.add('Slice', [x, steps.ints(from), steps.ints(to), steps.ints(-1)]);
  const rotated = turned === 0 ? x : part(0, turned);
  const isInterleaved = intOf(node, 'interleaved', 0) !== 0;
  const two = { ...last, num_outputs: { type: 'int', value: 2 } } as const;
  const [a = '', b = ''] = isInterleaved
    ? steps
        .many('Split', [steps.reshape(rotated, 0, 0, 0, -1, 2)], 2, two)
        .map((half) => steps.add('Squeeze', [half, steps.ints(-1)]))
    : steps.many('Split', [rotated], 2, two);
  const product = (value: string, factor: string | undefined): string => steps.add('Mul', [value, factor ?? '']);
  const pair = [
    steps.add('Sub', [product(a, cos), product(b, sin)]),
    steps.add('Add', [product(a, sin), product(b, cos)]),
  ];
  let result = isInterleaved
    ? steps.reshape(
        steps.add(
          'Concat',
          pair.map((value) => steps.add('Unsqueeze', [value, steps.ints(-1)])),
          last,
        ),
        0,
        0,
        0,
        -1,
      )
    : steps.add('Concat', pair, last);
  if (turned !== 0) result = steps.add('Concat', [result, part(turned, Number.MAX_SAFE_INTEGER)], last);
  if (isFlat) steps.reshape(steps.transpose(result, 0, 2, 1, 3), 0, 0, -1);
  return steps.finish();
}
