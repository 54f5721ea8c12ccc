import type { ErrorCode } from '../../base/errors.ts';

interface Rule {
  readonly code: ErrorCode;
  /** What the rule asks of a file; a row of docs/hostile-files.md. */
  readonly asks: string;
  readonly hint: string;
}

const again = 'Export the model again.';
const damaged = 'The file is truncated, damaged or made to deceive. Copy or export it again.';
const beside = 'Keep the data file in the folder of the model, under the name that the exporter gave it.';

const unreadable = (asks: string, hint = again): Rule => ({ code: 'MODEL_UNREADABLE', asks, hint });
const unsupported = (asks: string, hint: string): Rule => ({ code: 'OP_UNSUPPORTED', asks, hint });

/** Every rule by which a model file can be refused before onnxruntime sees it. Closed; docs/hostile-files.md lists them. */
const table = {
  ONNX_E_EMPTY: unreadable('The file holds something.', 'Copy or export the model again.'),
  ONNX_E_FORMAT: unreadable(
    'The file is an ONNX model, not some other format.',
    'Give a .onnx file as torch.onnx, tf2onnx or another exporter writes it.',
  ),
  ONNX_E_FILE_KIND: unreadable(
    'The path is an ordinary file, not a folder, pipe, socket or device.',
    'Give the .onnx file itself, and check the path and its permissions.',
  ),
  ONNX_E_FILE_SIZE: unreadable('The file has at most 2 GiB, as the format allows.', 'Export with external data.'),
  ONNX_E_WIRE_VARINT: unreadable('Each number ends, after at most ten bytes.', damaged),
  ONNX_E_WIRE_TAG: unreadable('Each field has a number above 0 and a kind that the format has.', damaged),
  ONNX_E_WIRE_TYPE: unreadable(
    'Each known field is stored as the kind that it has; unknown fields are skipped.',
    damaged,
  ),
  ONNX_E_WIRE_LENGTH: unreadable('Each length stays inside the message that it stands in.', damaged),
  ONNX_E_DEPTH: unreadable(
    'Graphs, types and functions are nested within limits.',
    'Export the model without deeply nested branches.',
  ),
  ONNX_E_NODE_COUNT: unreadable('The graphs have at most 200,000 nodes together.', 'Export a smaller model.'),
  ONNX_E_TENSOR_COUNT: unreadable('The file has at most 200,000 tensors.', 'Export a smaller model.'),
  ONNX_E_FUNCTION_COUNT: unreadable('The file has at most 10,000 functions.', 'Export a smaller model.'),
  ONNX_E_ATTRIBUTE_COUNT: unreadable(
    'The nodes have at most 1,000,000 attributes together.',
    'Export a smaller model.',
  ),
  ONNX_E_VALUE_COUNT: unreadable(
    'At most 500,000 values are declared, and a node has at most 10,000 inputs and as many outputs.',
    'Export a smaller model.',
  ),
  ONNX_E_STRING_LENGTH: unreadable('Names have at most 4,096 bytes, other texts 16 MiB.', 'Export with shorter names.'),
  ONNX_E_DECODED_SIZE: unreadable(
    'What is not raw data needs at most 512 MiB once it is unpacked.',
    'Export with weights as raw data, as all current exporters do.',
  ),
  ONNX_E_NO_GRAPH: unreadable(
    'The model has a graph with outputs, at least one of them a tensor of numbers.',
    'Give a .onnx file as torch.onnx, tf2onnx or another exporter writes it.',
  ),
  ONNX_E_OPSET: unreadable(
    'The model names the version of the standard operator set once, and its functions the same one.',
    'Copy or export the file again, with one opset.',
  ),
  ONNX_E_NAME: unreadable(
    'Names have no control or direction characters, and inputs, outputs and weights have names.',
    'Export the model with plain names.',
  ),
  ONNX_E_DUPLICATE: unreadable('Each value, weight, attribute and function is defined once.'),
  ONNX_E_DANGLING: unreadable('Each value that is read is made by something.'),
  ONNX_E_CYCLE: unreadable('No node waits for its own output.'),
  ONNX_E_DOMAIN: unsupported(
    'Operators are standard ones, ones that onnxruntime has itself, or functions of the file; custom domains are refused.',
    'Export with standard operators only; libraries of custom operators are never loaded.',
  ),
  ONNX_E_FUNCTION_CYCLE: unreadable('No function of the file calls itself, directly or through others.'),
  ONNX_E_FUNCTION_SIZE: unreadable(
    'The functions of the file unfold to at most 200,000 nodes and 256 MiB of names.',
    'Export the model without nested functions.',
  ),
  ONNX_E_SUBGRAPH: unsupported(
    'Only If, Loop and Scan hold graphs, under the names that the format gives them.',
    'Export the model without control flow.',
  ),
  ONNX_E_LOOP: unsupported(
    'A Loop says how often it runs, as a number stored in the file, at most 100,000 times in all.',
    'Export the model with loops unrolled.',
  ),
  ONNX_E_ATTRIBUTE: unsupported(
    'Attributes are numbers, strings, tensors, graphs or lists of them, and hold what they say.',
    'This operator has no place in a classifier that the workbench can use. Export without it.',
  ),
  ONNX_E_DIMS: unreadable('Sizes are ≥ 0, at most 2⁴⁰, at most 64 of them, and their product does not overflow.'),
  ONNX_E_TENSOR_LENGTH: unreadable('A tensor has as much data as its shape and type ask for.'),
  ONNX_E_TENSOR_DATA: unreadable(
    'The data of a tensor stand in one place: as numbers, as raw bytes, or in another file.',
  ),
  ONNX_E_TENSOR_SIZE: unreadable('All tensors together have at most 16 GiB.', 'Use a smaller model.'),
  ONNX_E_SPARSE: unsupported('Weights are dense.', 'Export with dense weights.'),
  ONNX_E_ELEMENT_TYPE: unsupported(
    'Tensors that are needed are of a type that can be computed with.',
    'Export with float32 weights.',
  ),
  ONNX_E_INPUT: unsupported('Inputs are tensors of numbers.', 'Export with tensor inputs.'),
  ONNX_E_EXTERNAL_KEY: unreadable(
    'External data are described by location, offset, length and checksum, each once.',
    beside,
  ),
  ONNX_E_EXTERNAL_PATH: unreadable(
    'External data lie inside the folder of the model: no absolute path, no "..", no drive, no stream.',
    beside,
  ),
  ONNX_E_EXTERNAL_ADDRESS: unreadable('External data are in a file, never at an address in memory.', beside),
  ONNX_E_EXTERNAL_LINK: unreadable(
    'No part of the path to external data is a symbolic link, and the file has one name only (no hard link).',
    'Copy the data file itself into the folder of the model.',
  ),
  ONNX_E_EXTERNAL_KIND: unreadable(
    'External data are in an ordinary file, not a folder, pipe, socket or device.',
    beside,
  ),
  ONNX_E_EXTERNAL_MISSING: unreadable('The file with external data is there and can be read.', beside),
  ONNX_E_EXTERNAL_RANGE: unreadable('Offset and length are whole numbers and stay inside the file.', beside),
  ONNX_E_EXTERNAL_OVERLAP: unreadable('The tensors read at most twice as much from a file as it holds.', beside),
  ONNX_E_EXTERNAL_CHANGED: unreadable(
    'The file with external data stays as it is while it is read.',
    'Leave the files of the model unchanged while it is opened.',
  ),
  ONNX_E_VALUE_SIZE: unreadable(
    'No value that the graph makes from one image, or from nothing, is larger than 1 GiB.',
    'The graph asks for more memory than a classifier needs. Check where the file comes from.',
  ),
  ONNX_E_GRAPH_MEMORY: unreadable(
    'Values made from nothing have at most 1 GiB together, all values of one image 16 GiB.',
    'The graph asks for more memory than a classifier needs. Check where the file comes from.',
  ),
} as const satisfies Readonly<Record<string, Rule>>;

/** The error id of a rule; stands in `details.rule` of the error. */
export type RuleId = keyof typeof table;

export const rules: Readonly<Record<RuleId, Rule>> = table;
