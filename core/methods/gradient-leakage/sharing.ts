import { float32, sizeOf, type FloatTensor } from '../../base/tensor.ts';
import { defend, needsExamples, type Defence, type Gradients } from '../../leakage/defence.ts';
import { labelEvidence } from '../../leakage/labels-evidence.ts';
import { labelPriors, type LabelPriors } from '../../leakage/labels-priors.ts';
import { openClient, type Client, type LocalTraining, type SharedGradients } from '../../leakage/victim-gradient.ts';
import type { Victim } from '../../leakage/victim.ts';
import type { SessionOptions } from '../../runtime/session.ts';

export type OwnWeights = Readonly<Record<string, FloatTensor>>;

/** Weights of a victim, to be given to the clients of another one of the same architecture. */
export const weightsOf = ({ parameters }: Victim): OwnWeights =>
  Object.fromEntries(
    parameters.map(({ name, dims, initial }) => [
      name,
      float32(dims, initial.data instanceof Float32Array ? initial.data : Float32Array.from(initial.data, Number)),
    ]),
  );

/** What clients of one architecture share, whatever their weights and batch; sessions are opened when first needed. */
export interface Sharing {
  share(
    images: FloatTensor,
    labels: readonly number[],
    weights: OwnWeights,
  ): Promise<{ shared: SharedGradients; loss: number }>;
  /** After a defence, which acts on each example's gradient where it clips. */
  shareDefended(
    images: FloatTensor,
    labels: readonly number[],
    weights: OwnWeights,
    defence: Defence,
    seed: number,
    step: number,
  ): Promise<{ shared: SharedGradients; loss: number }>;
  /** What the attacker measures with inputs of his own. */
  priors(victim: Victim, inputs: FloatTensor): Promise<LabelPriors | undefined>;
  close(): Promise<void>;
}

export function openSharing(victim: Victim, session: SessionOptions, local?: LocalTraining): Sharing {
  const clients = new Map<string, Promise<Client>>();
  const client = (batchSize: number, isLocal: boolean): Promise<Client> => {
    const key = `${batchSize} ${isLocal}`;
    const known =
      clients.get(key) ??
      openClient(victim, { batchSize, session, weights: 'fed', ...(isLocal && local ? { local } : {}) });
    clients.set(key, known);
    return known;
  };
  const share: Sharing['share'] = async (images, labels, weights) =>
    (await client(labels.length, local !== undefined)).share(images, labels, weights);
  return {
    share,
    async shareDefended(images, labels, weights, defence, seed, step) {
      if (!needsExamples(defence) || labels.length === 1) {
        const { shared, loss } = await share(images, labels, weights);
        return { shared: { ...shared, tensors: defend([shared.tensors], defence, seed, step) }, loss };
      }
      const one = await client(1, local !== undefined);
      const size = sizeOf(images.dims.slice(1));
      const examples: Gradients[] = [];
      let total = 0;
      let kind: SharedGradients['kind'] = 'gradient';
      for (const [k, label] of labels.entries()) {
        const image = float32([1, ...images.dims.slice(1)], images.data.slice(k * size, (k + 1) * size));
        const { shared, loss } = await one.share(image, [label], weights);
        examples.push(shared.tensors);
        kind = shared.kind;
        total += loss;
      }
      return { shared: { kind, tensors: defend(examples, defence, seed, step) }, loss: total / labels.length };
    },
    async priors(own, inputs) {
      const count = inputs.dims[0] ?? 1;
      if (!own.head) return undefined;
      const plain = await client(count, false);
      const labelled = async (label: number): Promise<ReturnType<typeof labelEvidence>> => {
        const { shared } = await plain.share(inputs, new Array<number>(count).fill(label), weightsOf(own));
        return labelEvidence(own, shared, { batchSize: count });
      };
      return labelPriors(await labelled(0), await labelled(1));
    },
    async close() {
      for (const each of clients.values()) await (await each).close();
    },
  };
}
