import type { FunctionProto, GraphProto, NodeProto } from '../proto/onnx_pb.generated.ts';
import { refusal, shown, type Source } from '../read/problem.ts';
import { functionKey } from './domains.ts';
import type { Limits } from './limits.ts';

/** Calls inside calls. */
const depthLimit = 64;
/** Slashes and a number between the parts of an unfolded name. */
const separatorChars = 10;

/** What a list of nodes becomes once all calls are unfolded. */
interface Unfolded {
  /** Nodes, calls counted too: empty functions that call each other cost time all the same. */
  readonly nodes: number;
  /** Names that a prefix goes in front of. */
  readonly names: number;
  /** Characters of those names without the prefix. */
  readonly chars: number;
  /** Levels of calls. */
  readonly height: number;
}

/** Refuses functions that call themselves or that unfold to more than the limits allow, without unfolding them. */
export function checkFunctions(
  functions: ReadonlyMap<string, FunctionProto>,
  graph: GraphProto,
  source: Source,
  limits: Limits,
): void {
  if (functions.size === 0) return;
  const known = new Map<FunctionProto, Unfolded>();
  const open = new Set<FunctionProto>();

  const ofFunction = (f: FunctionProto): Unfolded => {
    const found = known.get(f);
    if (found !== undefined) return found;
    if (open.has(f)) {
      const names = [...open].map(({ name }) => shown(name));
      throw refusal('ONNX_E_FUNCTION_CYCLE', source, `expected functions without recursion, got ${names.join(' → ')}`);
    }
    if (open.size >= depthLimit) throw tooDeep(source);
    open.add(f);
    const unfolded = ofNodes(f.node);
    open.delete(f);
    known.set(f, unfolded);
    return unfolded;
  };

  const ofNodes = (nodes: readonly NodeProto[]): Unfolded => {
    let total: Unfolded = { nodes: 0, names: 0, chars: 0, height: 0 };
    for (const node of nodes) {
      total = add(total, ownSize(node));
      const body = functions.get(functionKey(node.domain, node.opType, node.overload));
      if (body !== undefined) total = add(total, prefixed(ofFunction(body), node));
      for (const { g } of node.attribute) {
        if (g === undefined) continue;
        const values = [...g.input, ...g.output, ...g.valueInfo, ...g.initializer];
        const chars = values.reduce((sum, { name }) => sum + name.length, 0);
        total = add(total, { nodes: 0, names: values.length, chars, height: 0 });
        total = add(total, ofNodes(g.node));
      }
    }
    return total;
  };

  for (const f of functions.values()) ofFunction(f);
  const { nodes, chars, height } = ofNodes(graph.node);
  if (height > depthLimit) throw tooDeep(source);
  if (nodes > limits.nodes) {
    throw refusal(
      'ONNX_E_FUNCTION_SIZE',
      source,
      `expected functions that unfold to at most ${limits.nodes} nodes, got ${nodes}`,
    );
  }
  if (chars > limits.unfoldedChars) {
    throw refusal(
      'ONNX_E_FUNCTION_SIZE',
      source,
      `expected functions that unfold to at most ${limits.unfoldedChars} characters of names, got ${chars}`,
    );
  }
}

const add = (a: Unfolded, b: Unfolded): Unfolded => ({
  nodes: a.nodes + b.nodes,
  names: a.names + b.names,
  chars: a.chars + b.chars,
  height: Math.max(a.height, b.height),
});

const ownSize = ({ name, input, output }: NodeProto): Unfolded => ({
  nodes: 1,
  names: 1 + input.length + output.length,
  chars: [name, ...input, ...output].reduce((sum, text) => sum + text.length, 0),
  height: 0,
});

/** The body of a call: every name gets the call's in front. */
const prefixed = (body: Unfolded, { name, opType }: NodeProto): Unfolded => ({
  ...body,
  chars: body.chars + body.names * (Math.max(name.length, opType.length) + separatorChars),
  height: body.height + 1,
});

const tooDeep = (source: Source): Error =>
  refusal('ONNX_E_DEPTH', source, `expected functions nested at most ${depthLimit} deep`);
