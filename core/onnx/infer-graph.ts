import { WorkbenchError } from '../base/errors.ts';
import { foldNode } from './fold.ts';
import type { Graph, GraphNode } from './graph.ts';
import { inferableOps, inferTypes } from './infer-table.ts';
import type { InferInput } from './infer.ts';

const inferable = new Set(inferableOps);

/** Throws OP_UNSUPPORTED naming every node whose operator is not covered. */
function checkOps(graph: Graph): void {
  const missing = graph.nodes.filter(({ domain, op }) => domain !== '' || !inferable.has(op));
  if (missing.length === 0) return;
  const list = missing
    .slice(0, 12)
    .map((node) => `${node.domain === '' ? '' : `${node.domain}.`}${node.op} (${node.name})`);
  const rest = missing.length > list.length ? ` and ${missing.length - list.length} more` : '';
  throw new WorkbenchError(
    'OP_UNSUPPORTED',
    `${missing.length} operators of "${graph.name}" are not covered: ${list.join(', ')}${rest}`,
    {
      hint: 'docs/ops.md lists the operators that are covered. Export the model in inference mode without extra steps.',
      details: { operators: [...new Set(missing.map(({ op }) => op))] },
    },
  );
}

/**
 * Types, and contents where they are known before running, of all values of a house-opset graph, for the given input
 * shapes (those of other inputs must be fixed in the graph). Throws SHAPE_MISMATCH or OP_UNSUPPORTED.
 */
export function inferGraph(
  graph: Graph,
  shapes: Readonly<Record<string, readonly number[]>>,
): ReadonlyMap<string, InferInput> {
  checkOps(graph);
  const values = new Map<string, InferInput>();
  for (const [name, tensor] of graph.initializers) {
    values.set(name, { dtype: tensor.dtype, shape: tensor.dims, constant: tensor });
  }
  for (const { name, dtype, shape } of graph.inputs) {
    const known = shapes[name] ?? shape?.filter((dim) => typeof dim === 'number');
    if (known === undefined || (shape !== undefined && known.length !== shape.length)) {
      throw new WorkbenchError(
        'SHAPE_MISMATCH',
        `Expected a shape for input ${name} of "${graph.name}", got [${shape?.join(', ')}]`,
      );
    }
    values.set(name, { dtype, shape: known, constant: undefined });
  }
  for (const node of graph.nodes) inferNode(node, values);
  return values;
}

/** Adds types of a node's outputs, and their contents where they are known, to those of its inputs. */
export function inferNode(node: GraphNode, values: Map<string, InferInput>): void {
  const context = {
    op: node.op,
    nodeName: node.name,
    inputs: node.inputs.map((name) => values.get(name)),
    attributes: node.attributes,
    outputCount: node.outputs.length,
  };
  const types = inferTypes(context);
  const constants = foldNode(context);
  types.forEach((type, i) => {
    const name = node.outputs[i] ?? '';
    if (name !== '') values.set(name, { ...type, constant: constants?.[i] });
  });
}
