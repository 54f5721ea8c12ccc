import {
  bytesOf,
  type FunctionInit,
  type GraphInit,
  type ModelInit,
  type NodeInit,
  relu,
  typed,
} from '../model-bytes.ts';
import { type BadFile, breaking } from './bad-file.ts';

const model = (part: ModelInit) => () => bytesOf({}, part);
const graph = (part: GraphInit) => () => bytesOf(part);
const nodes = (...node: NodeInit[]) => graph({ node });

const call = (opType: string, input = 'x', output = 'y'): NodeInit => ({
  opType,
  domain: 'd',
  input: [input],
  output: [output],
});
const fn = (name: string, node: NodeInit[]): FunctionInit => ({ name, domain: 'd', input: ['a'], output: ['b'], node });
const calling =
  (functions: FunctionInit[], first = 'F') =>
  () =>
    bytesOf({ node: [call(first)] }, { functions });

/** `levels` functions, each of which calls the next one `times` times. */
function doubling(levels: number, times: number, name = 'f'): FunctionInit[] {
  return Array.from({ length: levels }, (_, level) =>
    fn(
      `${name}${level}`,
      Array.from({ length: times }, (_none, i) =>
        level + 1 < levels
          ? call(`${name}${level + 1}`, 'a', i === 0 ? 'b' : `t${i}`)
          : { ...relu, input: ['a'], output: [i === 0 ? 'b' : `t${i}`] },
      ),
    ),
  );
}

const inner = (): GraphInit => ({
  name: 'inner',
  output: [typed('o')],
  node: [{ opType: 'Identity', input: ['x'], output: ['o'] }],
});
const holding = (opType: string, attribute: string, more: Partial<NodeInit> = {}) =>
  nodes({
    opType,
    input: ['x'],
    output: ['y'],
    attribute: [{ name: attribute, type: 5, g: inner() }],
    ...more,
  });

const trips = (count: bigint) => ({ name: 'm', dims: [], dataType: 7, int64Data: [count] });
const loop = (input: string[], body = inner()): NodeInit => ({
  opType: 'Loop',
  input,
  output: ['y'],
  attribute: [{ name: 'body', type: 5, g: body }],
});

const renamed = (name: string) => nodes({ ...relu, name });

export const graphFiles: readonly BadFile[] = [
  ...breaking('ONNX_E_NO_GRAPH', {
    'no graph': model({ graph: undefined }),
    'no outputs': graph({ output: [] }),
    'nothing but a version': () => Uint8Array.of(8, 8),
    'outputs that are no tensors': graph({
      output: [{ name: 'y', type: { value: { case: 'mapType', value: { keyType: 7 } } } }],
    }),
  }),
  ...breaking('ONNX_E_OPSET', {
    none: model({ opsetImport: [] }),
    'version zero': model({ opsetImport: [{ version: 0n }] }),
    'negative version': model({ opsetImport: [{ version: -17n }] }),
    'version of a quintillion': model({ opsetImport: [{ version: 10n ** 18n }] }),
    'two versions': model({ opsetImport: [{ version: 17n }, { version: 9n }] }),
    'two spellings of one domain': model({ opsetImport: [{ version: 17n }, { domain: 'ai.onnx', version: 13n }] }),
    'only one of another domain': model({ opsetImport: [{ domain: 'ai.onnx.ml', version: 3n }] }),
    'function of another set': () =>
      bytesOf(
        { node: [call('F')] },
        { functions: [{ ...fn('F', [{ ...relu, input: ['a'], output: ['b'] }]), opsetImport: [{ version: 9n }] }] },
      ),
  }),
  ...breaking('ONNX_E_NAME', {
    'escape sequence in a node': renamed('\u001b[2Jgone'),
    'line end in a node': renamed('a\nb'),
    'NUL in a node': renamed('a\0b'),
    'text that runs backwards': renamed('safe\u202eexe.xnno'),
    'control character in a value': nodes({ ...relu, output: ['h\u0007'] }, { ...relu, input: ['h\u0007'] }),
    'control character in an operator': nodes({ ...relu, opType: 'Re\u0008lu' }),
    'control character in an attribute': nodes({ ...relu, attribute: [{ name: 'a\u009b', type: 2 }] }),
    'control character in the graph': graph({ name: 'g\r' }),
    'control character in a weight': graph({ initializer: [{ name: 'w\u007f', dims: [0n], dataType: 1 }] }),
    'input without a name': graph({ input: [typed('x'), typed('')] }),
    'weight without a name': graph({ initializer: [{ name: '', dims: [0n], dataType: 1 }] }),
    'attribute without a name': nodes({ ...relu, attribute: [{ name: '', type: 2 }] }),
    'name of the prototype': nodes({ ...relu, attribute: [{ name: '__proto__', type: 2, i: 1n }] }),
    'control character in a dimension': graph({
      input: [
        {
          name: 'x',
          type: {
            value: {
              case: 'tensorType',
              value: { elemType: 1, shape: { dim: [{ value: { case: 'dimParam', value: 'N\u0001' } }] } },
            },
          },
        },
      ],
    }),
  }),
  ...breaking('ONNX_E_DUPLICATE', {
    'value made twice': nodes(relu, { ...relu, name: 's' }),
    'input made by a node': nodes({ ...relu, output: ['x'] }, relu),
    'weight twice': graph({
      initializer: [
        { name: 'w', dims: [0n], dataType: 1 },
        { name: 'w', dims: [0n], dataType: 1 },
      ],
    }),
    'weight made by a node': graph({ initializer: [{ name: 'y', dims: [0n], dataType: 1 }] }),
    'input twice': graph({ input: [typed('x'), typed('x')] }),
    'attribute twice': nodes({
      ...relu,
      attribute: [
        { name: 'a', type: 2, i: 1n },
        { name: 'a', type: 2, i: 2n },
      ],
    }),
    'function twice': model({ functions: [fn('F', []), fn('F', [])] }),
  }),
  ...breaking('ONNX_E_DANGLING', {
    'node reads what nothing makes': nodes({ ...relu, input: ['z'] }),
    'output that nothing makes': graph({ output: [typed('q')] }),
    'branch reads what nothing makes': nodes({
      opType: 'If',
      input: ['x'],
      output: ['y'],
      attribute: [
        { name: 'then_branch', type: 5, g: inner() },
        {
          name: 'else_branch',
          type: 5,
          g: { ...inner(), node: [{ opType: 'Relu', input: ['nowhere'], output: ['o'] }] },
        },
      ],
    }),
    'function whose output nothing makes': calling([fn('F', [{ ...relu, input: ['a'], output: ['c'] }])]),
  }),
  ...breaking('ONNX_E_CYCLE', {
    'node that reads itself': nodes({ ...relu, input: ['y'] }),
    'two nodes in a circle': nodes({ opType: 'Add', input: ['x', 'y'], output: ['h'] }, { ...relu, input: ['h'] }),
    'circle through a branch': nodes(
      {
        opType: 'If',
        input: ['x'],
        output: ['h'],
        attribute: [
          { name: 'then_branch', type: 5, g: { ...inner(), node: [{ opType: 'Relu', input: ['y'], output: ['o'] }] } },
          { name: 'else_branch', type: 5, g: inner() },
        ],
      },
      { ...relu, input: ['h'] },
    ),
    'circle of a thousand': nodes(
      ...Array.from({ length: 1000 }, (_, i) => ({
        opType: 'Add',
        input: ['x', `v${(i + 1) % 1000}`],
        output: [`v${i}`],
      })),
      { ...relu, input: ['v0'] },
    ),
    'circle through a function': () =>
      bytesOf(
        { node: [call('F', 'h', 'y'), { ...relu, input: ['y'], output: ['h'] }] },
        { functions: [fn('F', [{ ...relu, input: ['a'], output: ['b'] }])] },
      ),
  }),
  ...breaking('ONNX_E_DOMAIN', {
    'operator of a library': nodes({ ...relu, domain: 'com.evil' }),
    'operator off the path': nodes(relu, { opType: 'Phone', domain: 'custom', input: ['x'], output: ['unused'] }),
    'operator in a branch': nodes({
      opType: 'If',
      input: ['x'],
      output: ['y'],
      attribute: [
        {
          name: 'then_branch',
          type: 5,
          g: { ...inner(), node: [{ opType: 'Op', domain: 'ext', input: ['x'], output: ['o'] }] },
        },
        { name: 'else_branch', type: 5, g: inner() },
      ],
    }),
    'operator in a function': calling([fn('F', [{ opType: 'Op', domain: 'ext', input: ['a'], output: ['b'] }])]),
    'domain that looks like the standard one': nodes({ ...relu, domain: 'ai.onnx ' }),
    'call of a function that is not there': nodes(call('Missing')),
  }),
  ...breaking('ONNX_E_FUNCTION_CYCLE', {
    'calls itself': calling([fn('F', [call('F', 'a', 'b')])]),
    'two call each other': calling([fn('F', [call('G', 'a', 'b')]), fn('G', [call('F', 'a', 'b')])]),
    'calls itself in a branch': calling([
      fn('F', [
        {
          opType: 'If',
          input: ['a'],
          output: ['b'],
          attribute: [
            { name: 'then_branch', type: 5, g: { ...inner(), node: [call('F', 'a', 'o')] } },
            { name: 'else_branch', type: 5, g: { ...inner(), node: [{ ...relu, input: ['a'], output: ['o'] }] } },
          ],
        },
      ]),
    ]),
    'circle that nothing calls': () => bytesOf({}, { functions: [fn('F', [call('F', 'a', 'b')])] }),
    'circle of forty': calling(
      Array.from({ length: 40 }, (_, i) => fn(`f${i}`, [call(`f${(i + 1) % 40}`, 'a', 'b')])),
      'f0',
    ),
  }),
  ...breaking('ONNX_E_DEPTH', {
    'functions in functions': calling(doubling(80, 1), 'f0'),
    'functions in functions, a thousand': calling(doubling(1000, 1), 'f0'),
  }),
  ...breaking('ONNX_E_FUNCTION_SIZE', {
    'two to the forty nodes': calling(doubling(40, 2), 'f0'),
    'ten to the nine nodes': calling(doubling(9, 10), 'f0'),
    'two to the fifty calls of nothing': calling(
      Array.from({ length: 50 }, (_, i) =>
        fn(`f${i}`, i < 49 ? [call(`f${i + 1}`, 'a', 'b'), call(`f${i + 1}`, 'a', 'c')] : []),
      ),
      'f0',
    ),
    'names of gigabytes': calling(doubling(16, 2, 'n'.repeat(4000)), `${'n'.repeat(4000)}0`),
  }),
  ...breaking('ONNX_E_SUBGRAPH', {
    'graph in an addition': holding('Add', 'body'),
    'graph in a constant': holding('Constant', 'value'),
    'branch under another name': holding('If', 'third_branch'),
    'graph of an operator of onnxruntime': holding('Attention', 'body', { domain: 'com.microsoft' }),
    'branch that is a number': nodes({
      opType: 'If',
      input: ['x'],
      output: ['y'],
      attribute: [
        { name: 'then_branch', type: 5, g: inner() },
        { name: 'else_branch', type: 2, i: 3n },
      ],
    }),
    'branch that is missing': holding('If', 'then_branch'),
  }),
  ...breaking('ONNX_E_LOOP', {
    'without a count': nodes(loop(['', '', 'x'])),
    'with a count that is computed': nodes({ opType: 'Size', input: ['x'], output: ['m'] }, loop(['m', '', 'x'])),
    'with a count from outside': graph({ input: [typed('x'), typed('m', 7)], node: [loop(['m', '', 'x'])] }),
    'of two to the sixty': graph({ initializer: [trips(2n ** 60n)], node: [loop(['m', '', 'x'])] }),
    'of a negative count': graph({ initializer: [trips(-1n)], node: [loop(['m', '', 'x'])] }),
    'in a loop, a billion times': graph({
      initializer: [trips(40_000n)],
      node: [loop(['m', '', 'x'], { ...inner(), node: [{ ...loop(['m', '', 'x']), output: ['o'] }] })],
    }),
    'scan of nothing': holding('Scan', 'body'),
    'scan of more than there is': nodes({
      opType: 'Scan',
      input: ['x'],
      output: ['y'],
      attribute: [
        { name: 'body', type: 5, g: inner() },
        { name: 'num_scan_inputs', type: 2, i: 9n },
      ],
    }),
  }),
  ...breaking('ONNX_E_ATTRIBUTE', {
    'tensor that is not there': nodes({ ...relu, attribute: [{ name: 'value', type: 4 }] }),
    'graph that is not there': nodes({
      opType: 'If',
      input: ['x'],
      output: ['y'],
      attribute: [{ name: 'then_branch', type: 5 }],
    }),
    'type of a later format': nodes({ ...relu, attribute: [{ name: 'a', type: 99 }] }),
    'sparse tensor': nodes({
      opType: 'Constant',
      output: ['y'],
      attribute: [{ name: 'sparse_value', type: 11, sparseTensor: {} }],
    }),
    'list of tensors': nodes({ ...relu, attribute: [{ name: 'a', type: 9, tensors: [{}] }] }),
  }),
  ...breaking('ONNX_E_INPUT', {
    sequence: graph({ input: [{ name: 'x', type: { value: { case: 'sequenceType', value: {} } } }] }),
    text: graph({ input: [typed('x', 8)] }),
    'nothing known': graph({ input: [{ name: 'x' }] }),
    map: graph({ input: [{ name: 'x', type: { value: { case: 'mapType', value: { keyType: 7 } } } }] }),
    'complex numbers': graph({ input: [typed('x', 15)] }),
  }),
];
