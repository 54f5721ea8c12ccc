import { invariant, WorkbenchError } from '../base/errors.ts';
import { float32, floatsOf, int64, sizeOf, type FloatTensor, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { inlineGraph, type Inlined } from '../autodiff/inline.ts';
import { compile, type Session, type SessionOptions } from '../runtime/session.ts';
import { crossEntropy } from '../train/losses.ts';
import type { Victim } from './victim.ts';

export type Values = Readonly<Record<string, Value>>;

/** What a client sends: one tensor for each parameter of the victim, by name. */
export interface SharedGradients {
  /** 'gradient': ∂ mean cross-entropy / ∂W. 'update': W after local training minus W before. */
  readonly kind: 'gradient' | 'update';
  readonly tensors: Readonly<Record<string, FloatTensor>>;
}

/** Plain SGD on the client before it shares; Geiping et al. 2020, section 6 (FedAvg). */
export interface LocalTraining {
  readonly steps: number;
  readonly learningRate: number;
  /** Images of one local step, taken in turn; divides the batch. Default: all. */
  readonly batchSize?: number;
}

/** The victim's weights as initialisers of the graph under construction: onnxruntime is fastest with those. */
export function bakedWeights(g: GraphBuilder, { parameters }: Victim): Record<string, Value> {
  return Object.fromEntries(parameters.map(({ name, initial }) => [name, g.weight(initial, weightKey(name))]));
}

/** The victim's weights as inputs of the graph under construction, named by the parameters. */
function weightInputs(g: GraphBuilder, { parameters }: Victim): Record<string, Value> {
  return Object.fromEntries(parameters.map(({ name, dims }) => [name, g.input(weightKey(name), 'float32', dims)]));
}

const weightKey = (name: string): string => `weight/${name}`;
const sharedKey = (name: string): string => `shared/${name}`;

export interface EmittedSharing {
  /** One value for each parameter of the victim. */
  readonly shared: Record<string, Value>;
  /** Mean cross-entropy of the (first) local step, a scalar. */
  readonly loss: Value;
  /** The victim on the images of the first local step, for priors that look inside. */
  readonly victim: Inlined;
}

/**
 * Emits what the client would share for `images` [N, C, H, W] in [0, 1] and `targets`, [N] int64 labels or [N, K]
 * probabilities. Without `local` the gradient, with it −learningRate · Σ over the local steps of their gradients, which is
 * W_T − W_0 without the rounding of the difference.
 */
export function emitSharing(
  g: GraphBuilder,
  victim: Victim,
  { images, targets, weights }: { readonly images: Value; readonly targets: Value; readonly weights: Values },
  local?: LocalTraining,
): EmittedSharing {
  const names = victim.parameters.map(({ name }) => name);
  const [batch = 1] = images.shape;
  const { steps, learningRate, batchSize = batch } = local ?? { steps: 1, learningRate: 1 };
  refuseUnevenBatch(batch, batchSize);
  const sums = new Map<string, Value>();
  let current: Record<string, Value> = { ...weights };
  let first: { loss: Value; victim: Inlined } | undefined;
  for (let step = 0; step < steps; step++) {
    const from = (step * batchSize) % batch;
    const part = (value: Value): Value =>
      batchSize === batch ? value : g.slice(value, [0], [from], [from + batchSize]);
    const inlined = inlineGraph(g, victim.graph, {
      inputs: { [victim.inputName]: part(images) },
      parameters: current,
      mode: victim.batchNorm === 'train' ? 'training' : 'inference',
    });
    const logits = inlined.outputs[victim.logitsName];
    invariant(logits, `${victim.title} has its logits`);
    const loss = crossEntropy(g, logits, part(targets));
    first ??= { loss, victim: inlined };
    const grads = gradients(
      g,
      loss,
      names.map((name) => current[name] ?? logits),
    );
    const next: Record<string, Value> = {};
    names.forEach((name, i) => {
      const [weight, grad] = [current[name], grads[i]];
      invariant(weight, `${victim.title} has the weight ${name}`);
      next[name] = weight;
      if (!grad) return;
      const sum = sums.get(name);
      sums.set(name, sum ? g.add(sum, grad) : grad);
      if (step + 1 < steps) next[name] = g.sub(weight, g.mul(grad, learningRate));
    });
    current = next;
  }
  invariant(first, 'a client makes at least one local step');
  const shared: Record<string, Value> = {};
  for (const { name, dims } of victim.parameters) {
    const sum = sums.get(name) ?? g.full(dims, 0);
    shared[name] = local === undefined ? sum : g.mul(sum, -learningRate);
  }
  return { shared, ...first };
}

function refuseUnevenBatch(batch: number, batchSize: number): void {
  if (batchSize >= 1 && batch % batchSize === 0) return;
  throw new WorkbenchError('PARAM_INVALID', `Local batches of ${batchSize} do not divide ${batch} images evenly`, {
    hint: 'Choose a local batch size that divides the batch.',
  });
}

/** A client: shares what its images and labels give. Close it in the end. */
export interface Client {
  /**
   * @param images [N, C, H, W] in [0, 1], N as the client was opened for
   * @param weights in place of the victim's own, by name; for many nets of one architecture
   */
  share(
    images: Tensor,
    labels: readonly number[],
    weights?: Readonly<Record<string, Tensor>>,
  ): Promise<{ readonly shared: SharedGradients; readonly loss: number }>;
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly batchSize: number;
  readonly local?: LocalTraining;
  /** 'fed': weights come with each call; 'own' (as a rule): those of the victim. */
  readonly weights?: 'own' | 'fed';
  readonly session: SessionOptions;
}

type EmitWeights = (g: GraphBuilder, victim: Victim) => Values;

/** @throws OP_NO_GRADIENT naming every operator in the way */
export async function openClient(victim: Victim, options: ClientOptions): Promise<Client> {
  const { batchSize, local } = options;
  const dims = [batchSize, ...victim.shape];
  // Many share a client, from several lanes at once: each session is opened once, when first wanted.
  const sessions = new Map<EmitWeights, Promise<Session>>();
  const sessionWith = (emitWeights: EmitWeights): Promise<Session> => {
    const opened = sessions.get(emitWeights) ?? compileClient(victim, options, emitWeights);
    sessions.set(emitWeights, opened);
    return opened;
  };
  // An operator in the way is told now.
  await sessionWith(options.weights === 'fed' ? weightInputs : bakedWeights);
  return {
    async share(given, labels, weights) {
      if (given.data.length !== sizeOf(dims) || labels.length !== batchSize) {
        throw new WorkbenchError(
          'SHAPE_MISMATCH',
          `Client of ${victim.title}: expected ${batchSize} images of ${victim.shape.join(' × ')} with labels, got ${given.data.length} numbers and ${labels.length} labels`,
        );
      }
      const feeds: Record<string, Tensor> = {
        images: float32(dims, floatsOf(given, 'the images')),
        labels: int64([batchSize], labels),
      };
      // The victim's own weights are constants, as in an attack: so both round alike, and no ReLU falls to another side.
      const session = await sessionWith(weights ? weightInputs : bakedWeights);
      const accepted = new Set(session.inputNames);
      for (const { name, initial } of victim.parameters) {
        if (accepted.has(weightKey(name))) feeds[weightKey(name)] = weights?.[name] ?? initial;
      }
      const results = await session.run(feeds);
      const tensors = Object.fromEntries(
        victim.parameters.map(({ name, dims: shape }) => {
          const value = results[sharedKey(name)];
          invariant(value, `the client shares ${name}`);
          return [name, float32(shape, floatsOf(value))];
        }),
      );
      const loss = results['loss'];
      invariant(loss, 'the client tells its loss');
      return {
        shared: { kind: local === undefined ? 'gradient' : 'update', tensors },
        loss: floatsOf(loss)[0] ?? Number.NaN,
      };
    },
    async close() {
      for (const session of sessions.values()) await (await session).close();
    },
  };
}

async function compileClient(
  victim: Victim,
  { batchSize, local, session }: ClientOptions,
  emitWeights: EmitWeights,
): Promise<Session> {
  const g = new GraphBuilder('', session.device === 'cpu' ? 'cpu' : 'gpu');
  const images = g.input('images', 'float32', [batchSize, ...victim.shape]);
  const targets = g.input('labels', 'int64', [batchSize]);
  const { shared, loss } = emitSharing(g, victim, { images, targets, weights: emitWeights(g, victim) }, local);
  for (const [name, value] of Object.entries(shared)) g.output(sharedKey(name), value);
  g.output('loss', loss);
  return compile(g.build(`client of ${victim.title}`), session);
}
