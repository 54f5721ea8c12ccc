import { WorkbenchError } from '../base/errors.ts';
import type { Tensor } from '../base/tensor.ts';
import { type Graph, type GraphNode, HOUSE_IR_VERSION, HOUSE_OPSET, type OnnxModel } from './graph.ts';
import { attributesToInputs } from './normalise/attributes-to-inputs.ts';
import { changedMeaning } from './normalise/changed-meaning.ts';
import { widenHalf } from './normalise/half-precision.ts';
import { takeRealImages } from './normalise/integer-image.ts';
import type { Lift, LiftScope } from './normalise/lift.ts';
import { moveAsReal } from './normalise/quantised-moves.ts';
import { contributed, quantised } from './normalise/quantised.ts';
import { dequantiseStored } from './normalise/stored-integers.ts';
import { lowers } from './normalise/lower.ts';
import { Ranks } from './normalise/rank.ts';
import { usesOf } from './topology.ts';

const oldest = 7;
const newest = 28;

const lifts = Map.groupBy(
  [...attributesToInputs, ...changedMeaning, ...quantised].toSorted((a, b) => (a.below < b.below ? -1 : 1)),
  ({ op }) => op,
);

/**
 * The model in the house operator set: ops whose form has changed since `opset` are rewritten, computing the same; what
 * is in half precision is computed in single precision, and images of whole numbers become real ones.
 * Throws OP_UNSUPPORTED naming all nodes that cannot be rewritten, or an operator set outside
 * 7 … 28.
 */
export function normalise(model: OnnxModel): OnnxModel {
  const { opset } = model;
  if (opset < oldest || opset > newest) {
    throw new WorkbenchError('OP_UNSUPPORTED', `Expected operator set ${oldest} to ${newest}, got ${opset}`, {
      hint: opset < oldest ? 'Convert the model to a newer operator set.' : `Export with opset_version=${HOUSE_OPSET}.`,
    });
  }
  const run = new Normalisation(opset, model.graph);
  const graph = run.graph(takeRealImages(widenHalf(model.graph)));
  if (run.refusals.length > 0) {
    const count = run.refusals.length === 1 ? '1 node' : `${run.refusals.length} nodes`;
    throw new WorkbenchError(
      'OP_UNSUPPORTED',
      `Cannot bring ${count} to operator set ${HOUSE_OPSET}: ${run.refusals.join('; ')}`,
      {
        hint: `Export with opset_version=${HOUSE_OPSET} and in inference mode, or see docs/ops.md.`,
        details: { nodes: run.refusals },
      },
    );
  }
  return { ...model, irVersion: HOUSE_IR_VERSION, opset: HOUSE_OPSET, graph };
}

/** One pass over a model; names made in any of its graphs are unlike all others. */
class Normalisation {
  readonly refusals: string[] = [];
  readonly #opset: number;
  readonly #names = new Set<string>();

  constructor(opset: number, graph: Graph) {
    this.#opset = opset;
    this.#collectNames(graph);
  }

  #collectNames(graph: Graph): void {
    for (const name of [...graph.initializers.keys(), ...graph.inputs.map((input) => input.name)])
      this.#names.add(name);
    for (const node of graph.nodes) {
      for (const name of node.outputs) this.#names.add(name);
      for (const attribute of Object.values(node.attributes)) {
        if (attribute.type === 'graph') this.#collectNames(attribute.value);
      }
    }
  }

  graph(graph: Graph): Graph {
    const initializers = new Map(graph.initializers);
    const scope = this.#scope(graph, initializers);
    const nodes = graph.nodes.flatMap((node) => this.#node(this.#inside(node), scope));
    return moveAsReal(dequantiseStored({ ...graph, initializers, nodes }), scope.fresh);
  }

  #inside(node: GraphNode): GraphNode {
    const attributes = Object.entries(node.attributes);
    if (!attributes.some(([, { type }]) => type === 'graph')) return node;
    const entries = attributes.map(([name, attribute]) => [
      name,
      attribute.type === 'graph' ? { type: attribute.type, value: this.graph(attribute.value) } : attribute,
    ]);
    return { ...node, attributes: Object.fromEntries(entries) };
  }

  #scope(graph: Graph, initializers: Map<string, Tensor>): LiftScope {
    const ranks = new Ranks(graph);
    const used = new Set([...graph.nodes.flatMap(usesOf), ...graph.outputs.map(({ name }) => name)]);
    const fresh = (node: GraphNode, role: string): string => {
      let name = `${node.name}/${role}`;
      for (let i = 1; this.#names.has(name); i++) name = `${node.name}/${role}_${i}`;
      this.#names.add(name);
      return name;
    };
    return {
      fresh,
      constant: (node, role, tensor) => {
        const name = fresh(node, role);
        initializers.set(name, tensor);
        return name;
      },
      constantOf: (name) => initializers.get(name),
      rankOf: (name) => ranks.rankOf(name),
      dimOf: (name, axis) => ranks.dimOf(name, axis),
      dtypeOf: (name) => ranks.dtypeOf(name),
      isUsed: (name) => used.has(name),
      refuse: (node, reason) => {
        this.refusals.push(`${reason} at ${node.name}`);
        return [];
      },
    };
  }

  #node(node: GraphNode, scope: LiftScope): readonly GraphNode[] {
    if (node.domain === 'com.microsoft') {
      const rewrite = Object.hasOwn(contributed, node.op) ? contributed[node.op] : undefined;
      return rewrite === undefined ? [node] : rewrite(node, scope);
    }
    if (node.domain !== '') return [node];
    const lower = this.#opset > HOUSE_OPSET && Object.hasOwn(lowers, node.op) ? lowers[node.op] : undefined;
    if (lower !== undefined) return lower(node, scope);
    const steps = (lifts.get(node.op) ?? []).filter(({ below }) => this.#opset < below);
    return applySteps(node, steps, scope);
  }
}

/** Runs the steps of an op one after another; a step that changes the op ends in the house form. */
function applySteps(node: GraphNode, steps: readonly Lift[], scope: LiftScope): readonly GraphNode[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [node];
  return step.lift(node, scope).flatMap((made) => (made.op === node.op ? applySteps(made, rest, scope) : [made]));
}
