import { WorkbenchError } from '../../base/errors.ts';
import { bytesPerElement, sizeOf } from '../../base/tensor.ts';
import { foldNode } from '../fold.ts';
import type { Graph, GraphNode, OnnxModel } from '../graph.ts';
import { inferTypes } from '../infer-table.ts';
import type { InferInput, ValueType } from '../infer.ts';
import { normalise } from '../normalise.ts';
import { refusal, shown, type Source } from '../read/problem.ts';
import type { Limits } from './limits.ts';
import type { RuleId } from './rules.ts';

interface Known extends InferInput {
  /** Depends on no input: onnxruntime makes the value when it loads the graph. */
  readonly isConstant: boolean;
}

/** The errors with which an operator is declined; such a graph is refused later, by name. */
const declined: ReadonlySet<string> = new Set(['SHAPE_MISMATCH', 'OP_UNSUPPORTED']);

function orDeclined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof WorkbenchError && declined.has(error.code)) return undefined;
    throw error;
  }
}

/**
 * Refuses a graph whose values are larger than the limits allow, as far as sizes can be told from the file. Free
 * dimensions of inputs count as 1. Nodes that shape inference does not cover, and what comes after them, are left out.
 */
export function checkMemory(model: OnnxModel, source: Source, limits: Limits): void {
  const house = orDeclined(() => normalise(model));
  if (house !== undefined) new MemoryCheck(source, limits).run(house.graph);
}

class MemoryCheck {
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #values = new Map<string, Known>();
  #constantBytes = 0;
  #totalBytes = 0;

  constructor(source: Source, limits: Limits) {
    this.#source = source;
    this.#limits = limits;
  }

  run(graph: Graph): void {
    for (const [name, tensor] of graph.initializers) {
      this.#values.set(name, { dtype: tensor.dtype, shape: tensor.dims, constant: tensor, isConstant: true });
    }
    for (const { name, dtype, shape } of graph.inputs) {
      if (shape === undefined) continue;
      const type = { dtype, shape: shape.map((dim) => (typeof dim === 'number' ? dim : 1)) };
      this.#add(name, `input ${shown(name)}`, type, undefined, false);
    }
    for (const node of graph.nodes) this.#node(node);
  }

  #node(node: GraphNode): void {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : this.#values.get(name)));
    if (node.domain !== '' || inputs.some((input, i) => input === undefined && node.inputs[i] !== '')) return;
    const { op, name, attributes, outputs } = node;
    const context = { op, nodeName: name, inputs, attributes, outputCount: outputs.length };
    const types = orDeclined(() => inferTypes(context));
    if (types === undefined) return;
    const where = `output of ${shown(op)} (${shown(name)})`;
    const isConstant = inputs.every((input) => input?.isConstant ?? true);
    types.forEach((type) => this.#measure(where, type, isConstant));
    const constants = orDeclined(() => foldNode(context));
    types.forEach((type, i) => {
      const output = outputs[i] ?? '';
      if (output !== '') this.#values.set(output, { ...type, constant: constants?.[i], isConstant });
    });
  }

  #add(name: string, where: string, type: ValueType, constant: Known['constant'], isConstant: boolean): void {
    this.#measure(where, type, isConstant);
    this.#values.set(name, { ...type, constant, isConstant });
  }

  #measure(where: string, { dtype, shape }: ValueType, isConstant: boolean): void {
    const bytes = sizeOf(shape) * bytesPerElement(dtype);
    const { valueBytes, constantBytes, graphBytes } = this.#limits;
    const type = `${dtype} [${shape.join(', ')}]`;
    if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || !(bytes <= valueBytes)) {
      this.#refuse('ONNX_E_VALUE_SIZE', `expected values of at most ${valueBytes} bytes, got ${type} as ${where}`);
    }
    this.#totalBytes += bytes;
    if (isConstant) this.#constantBytes += bytes;
    if (this.#constantBytes > constantBytes) {
      this.#refuse(
        'ONNX_E_GRAPH_MEMORY',
        `expected values made from nothing of at most ${constantBytes} bytes together, got more from the ${where} on`,
      );
    }
    if (this.#totalBytes > graphBytes) {
      this.#refuse(
        'ONNX_E_GRAPH_MEMORY',
        `expected values of at most ${graphBytes} bytes together, got more from the ${where} on`,
      );
    }
  }

  #refuse(rule: RuleId, message: string): never {
    throw refusal(rule, this.#source, message);
  }
}
