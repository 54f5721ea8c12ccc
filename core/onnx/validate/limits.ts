/** What a model file may ask for. The defaults are far above any classifier and far below what harms a workstation. */
export interface Limits {
  /** Bytes of the file itself; protobuf messages cannot be larger than the default. */
  readonly fileBytes: number;
  /** Graphs inside graphs. */
  readonly graphDepth: number;
  /** Messages inside messages. */
  readonly messageDepth: number;
  /** Nodes of all graphs and functions, before and after functions are unfolded. */
  readonly nodes: number;
  readonly tensors: number;
  readonly functions: number;
  readonly attributes: number;
  /** Declared inputs, outputs and inner values. */
  readonly values: number;
  /** Inputs, or outputs, of one node. */
  readonly arity: number;
  readonly nameBytes: number;
  /** Of documentation, metadata and string attributes. */
  readonly textBytes: number;
  /** Estimated size of all messages, names and numbers once decoded; raw data not counted. */
  readonly decodedBytes: number;
  readonly rank: number;
  readonly dim: number;
  /** Data of all tensors together, in the file and beside it. */
  readonly tensorBytes: number;
  /** Characters of all names once functions are unfolded. */
  readonly unfoldedChars: number;
  /** Iterations of a Loop, times those of the loops around it. */
  readonly loopTrips: number;
  /** One value of the graph at batch size 1. */
  readonly valueBytes: number;
  /** Values that depend on no input, together: onnxruntime makes them when it loads the graph. */
  readonly constantBytes: number;
  /** All values of the graph at batch size 1, together. */
  readonly graphBytes: number;
}

const gib = 2 ** 30;

export const defaultLimits: Limits = {
  fileBytes: 2 ** 31 - 1,
  graphDepth: 8,
  messageDepth: 64,
  nodes: 200_000,
  tensors: 200_000,
  functions: 10_000,
  attributes: 1_000_000,
  values: 500_000,
  arity: 10_000,
  nameBytes: 4096,
  textBytes: 16 * 2 ** 20,
  decodedBytes: 512 * 2 ** 20,
  rank: 64,
  dim: 2 ** 40,
  tensorBytes: 16 * gib,
  unfoldedChars: 2 ** 27,
  loopTrips: 100_000,
  valueBytes: gib,
  constantBytes: gib,
  graphBytes: 16 * gib,
};
