import type { DType } from '../../base/tensor.ts';

/** What a classifier file takes: images of one size, float32. */
export interface ImageInput {
  readonly name: string;
  /** How the file lays images out ('rows': [N, C·H·W]); cutAtLogits always gives NCHW. */
  readonly layout: 'nchw' | 'nhwc' | 'rows';
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** The only batch size that the file works with; undefined when any does. */
  readonly fixedBatch: number | undefined;
}

/** The last linear layer, one template for each class: logits = features · weightᵀ + bias. */
export interface ClassTemplates {
  /** [classCount, featureCount], row-major, whatever way the file stores it. */
  readonly weight: Float32Array<ArrayBuffer>;
  readonly featureCount: number;
  /** [classCount]; undefined when the layer has none. */
  readonly bias: Float32Array<ArrayBuffer> | undefined;
  /** The initialiser that holds the weight. */
  readonly valueName: string;
  /** The value that enters the layer: the features of the image. */
  readonly featureName: string;
  readonly op: 'Gemm' | 'MatMul' | 'Conv';
}

export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dtype: DType;
}

/** A batch normalisation with the statistics of the training data. */
export interface BatchNormLayer {
  readonly node: string;
  /** The value that enters it, [N, C, …]. */
  readonly inputName: string;
  /** Running statistics, [C]. */
  readonly mean: Float32Array<ArrayBuffer>;
  readonly variance: Float32Array<ArrayBuffer>;
  readonly meanName: string;
  readonly varianceName: string;
  readonly epsilon: number;
}

export interface ClassifierDescription {
  readonly input: ImageInput;
  /** logits [N, classCount] float32, before softmax. */
  readonly logits: string;
  readonly classCount: number;
  /** The file ends in a softmax, which is left away. */
  readonly softmaxRemoved: boolean;
  /** undefined when the file does not end in a linear layer. */
  readonly templates: ClassTemplates | undefined;
  /** Float initialisers that training would change. */
  readonly parameters: readonly Parameter[];
  readonly parameterCount: number;
  readonly batchNorms: readonly BatchNormLayer[];
  /** Exported in training mode: batch normalisation looks at the whole batch, so logits hang on the other images. */
  readonly usesBatchStatistics: boolean;
  readonly dropoutCount: number;
  /** Operator set of the file as it was given. */
  readonly opset: number;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
}
