import type { ErrorShape } from '../base/errors.ts';
import type { Dim } from '../onnx/graph.ts';
import type { Found, Preprocessing } from './preprocessing.ts';

/**
 * What `inspect` finds out about a model file; `--json` prints it as it is. Fields are only added within a version of the
 * schema; `null` means that it could not be found out.
 */
export interface Inspection {
  readonly schema: 'palimpsest.inspection/1';
  readonly file: FileFacts;
  /** Operator name → how many nodes, in the operator set of the file. */
  readonly operators: Readonly<Record<string, number>>;
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
  /** null when the file is no image classifier that can be used; `problems` say why. */
  readonly classifier: ClassifierFacts | null;
  /** What the file, or a file beside it, calls the classes, by number; null where nothing says it. */
  readonly classNames: Found<readonly string[]> | null;
  readonly preprocessing: Preprocessing;
  readonly cost: CostFacts | null;
  readonly differentiability: Differentiability;
  readonly warnings: readonly Warning[];
  /** Why something is null. */
  readonly problems: readonly ErrorShape[];
  /** What could not be found and has to be told. */
  readonly questions: readonly string[];
}

export interface FileFacts {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Weights stand in other files, which the hash does not cover. */
  readonly hasExternalData: boolean;
  /** These files, by name inside the folder of the model, with their SHA-256. */
  readonly weights: Readonly<Record<string, string>>;
  readonly irVersion: number;
  readonly opset: number;
  readonly otherOpsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface TensorFacts {
  readonly name: string;
  readonly dtype: string;
  /** A text is the name of a symbolic dimension, '' one without a name; null when the rank is unknown. */
  readonly shape: readonly Dim[] | null;
}

export interface ClassifierFacts {
  readonly image: {
    readonly name: string;
    /** Of the file, rows being [N, C·H·W]; methods always see channels first. */
    readonly layout: 'nchw' | 'nhwc' | 'rows';
    readonly channels: number;
    readonly height: number;
    readonly width: number;
    /** null for any. */
    readonly fixedBatch: number | null;
  };
  readonly logits: {
    readonly name: string;
    /** The file ends in a softmax, which is left away. */
    readonly softmaxRemoved: boolean;
  };
  readonly classCount: number;
  readonly lastLayer: {
    readonly op: string;
    readonly weight: string;
    readonly features: string;
    readonly featureCount: number;
    readonly hasBias: boolean;
  } | null;
  /** Values that all of the image passes through, by depth. */
  readonly featureLayers: readonly FeatureLayer[];
  /** Every operator on the way of an image, in blocks, in the order of the file. */
  readonly outline: readonly OutlineBlock[];
  readonly batchNorm: {
    /** With running statistics in the file. */
    readonly present: number;
    /** Uses the statistics of the batch of images. */
    readonly trainingMode: number;
    /** likely: there is none, and biases of convolutions look as exporters write them when they fold one in. */
    readonly folded: 'likely' | 'unlikely';
  };
  readonly parameters: {
    /** Numbers in weights and biases. */
    readonly count: number;
    readonly tensors: number;
    /** Tensors whose names look like those of the framework, rather than like numbers that an exporter gave. */
    readonly named: number;
    readonly names: readonly string[];
  };
  /** Dropout nodes, which do nothing outside of training. */
  readonly dropouts: number;
}

/** A layer with weights (or a place where branches meet) and what follows it up to the next one. */
export interface OutlineBlock {
  /** Part of the network that it belongs to, by the names in the file; '' when they say nothing. */
  readonly stage: string;
  /** Within the stage, or as a whole where there is none. */
  readonly name: string;
  /** In order, with kernel and stride: `Conv 3 × 3, stride 2`, `Relu`. */
  readonly operators: readonly string[];
  /** Of the last operator; N stands for the batch. */
  readonly shape: readonly (number | 'N')[];
  /** Numbers in weights and biases; those that a block before has too count there. */
  readonly parameters: number;
  /** Operations for one image, as in the costs. */
  readonly flops: number;
}

export interface FeatureLayer {
  readonly name: string;
  readonly node: string;
  readonly op: string;
  /** N stands for the batch. */
  readonly shape: readonly (number | 'N')[];
  /** Layers with weights on the longest way from the image. */
  readonly depth: number;
}

export interface CostFacts {
  /** Of convolutions and matrix products, for one image. */
  readonly multiplyAdds: number;
  /** Operations for one image: two for a multiply-add, one for each number that another operator computes. */
  readonly forwardFlops: number;
  /** Beside the forward pass: gradient by the image, by all parameters, and the second order by the image. */
  readonly inputGradientFlops: number | null;
  readonly parameterGradientFlops: number | null;
  readonly secondOrderFlops: number | null;
  /** Operators that are run for it, the forward pass among them, before anything is fused. */
  readonly operators: {
    readonly forward: number;
    readonly inputGradient: number | null;
    readonly parameterGradient: number | null;
    readonly secondOrder: number | null;
  };
  /** Numbers that the operators of a forward pass give for one image. */
  readonly activations: number;
  /** On this machine, for one image; null when `doctor` has not measured it. */
  readonly estimate: {
    readonly device: string;
    readonly threads: number;
    readonly gflops: number;
    readonly forwardMs: number;
    readonly inputGradientMs: number | null;
  } | null;
}

export interface Differentiability {
  readonly order1: OrderFacts;
  readonly order2: OrderFacts;
}

export interface OrderFacts {
  readonly isPossible: boolean;
  /** Nodes on the way whose operator has no gradient rule. */
  readonly missing: readonly NodeName[];
  /** Why it is not possible where no rule is missing. */
  readonly reason?: string;
}

export interface NodeName {
  readonly op: string;
  readonly node: string;
}

export interface Warning {
  readonly code:
    | 'randomness'
    | 'training-batch-norm'
    | 'zero-gradient'
    | 'input-branch'
    | 'quantised'
    | 'half-precision'
    | 'custom-operator'
    | 'shared-parameters'
    | 'conflicting-preprocessing'
    | 'class-names';
  readonly message: string;
  readonly nodes: readonly NodeName[];
}
