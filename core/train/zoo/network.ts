import { invariant } from '../../base/errors.ts';
import { float32 } from '../../base/tensor.ts';
import { GraphBuilder, type Value } from '../../autodiff/builder.ts';
import type { Attribute, OnnxModel } from '../../onnx/graph.ts';
import { houseModel } from '../../onnx/write.ts';
import { constant, initialise, torchDefaultBias, torchDefaultWeight, type Initialiser } from '../initialise.ts';

export interface NetworkOptions {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly seed: number;
}

export interface ConvOptions {
  readonly stride?: number;
  /** On all four sides; default 0. */
  readonly pad?: number;
  readonly group?: number;
  /** Default true. */
  readonly bias?: boolean;
  readonly weightInit?: Initialiser;
  readonly biasInit?: Initialiser;
}

/**
 * Writes a classifier layer by layer with PyTorch's parameter names and default initialisation. Batch 1 while building,
 * only operators that do not know the batch size, so that the exported input is ['batch', C, H, W].
 */
export class Network {
  readonly g = new GraphBuilder();
  readonly input: Value;
  readonly #options: NetworkOptions;
  readonly #title: string;

  constructor(title: string, options: NetworkOptions) {
    const { channels, height, width } = options;
    this.#title = title;
    this.#options = options;
    this.input = this.g.input('input', 'float32', [1, channels, height, width], ['batch', channels, height, width]);
  }

  /** A parameter of its own; its initial value depends on the seed and the name only. */
  parameter(name: string, dims: readonly number[], initialiser: Initialiser): Value {
    return this.g.constant(initialise(this.#options.seed, name, dims, initialiser), name);
  }

  #op(op: string, name: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    const [value] = this.g.op(op, inputs, attributes, { name });
    invariant(value, `${op} has an output`);
    return value;
  }

  conv(name: string, x: Value, filters: number, kernel: number, options: ConvOptions = {}): Value {
    const { stride = 1, pad = 0, group = 1, bias = true } = options;
    const dims = [filters, channelsOf(x) / group, kernel, kernel];
    const weight = this.parameter(`${name}.weight`, dims, options.weightInit ?? torchDefaultWeight);
    const inputs = bias
      ? [x, weight, this.parameter(`${name}.bias`, [filters], options.biasInit ?? torchDefaultBias(dims))]
      : [x, weight];
    return this.#op('Conv', name, inputs, {
      kernel_shape: { type: 'ints', value: [kernel, kernel] },
      strides: { type: 'ints', value: [stride, stride] },
      pads: { type: 'ints', value: [pad, pad, pad, pad] },
      ...(group === 1 ? {} : { group: { type: 'int', value: group } }),
    });
  }

  /** x [N, in] → [N, out]. */
  linear(
    name: string,
    x: Value,
    outputs: number,
    init: { readonly weightInit?: Initialiser; readonly biasInit?: Initialiser } = {},
  ): Value {
    const dims = [outputs, channelsOf(x)];
    const weight = this.parameter(`${name}.weight`, dims, init.weightInit ?? torchDefaultWeight);
    const bias = this.parameter(`${name}.bias`, [outputs], init.biasInit ?? torchDefaultBias(dims));
    return this.#op('Gemm', name, [x, weight, bias], { transB: { type: 'int', value: 1 } });
  }

  /** Over the channels of [N, C, …]. `momentum` is ONNX's: the share of the old running statistics that stays. */
  batchNorm(name: string, x: Value, { epsilon = 1e-5, momentum = 0.9 } = {}): Value {
    const of = (part: string, value: number): Value =>
      this.parameter(`${name}.${part}`, [channelsOf(x)], constant(value));
    const inputs = [x, of('weight', 1), of('bias', 0), of('running_mean', 0), of('running_var', 1)];
    return this.#op('BatchNormalization', name, inputs, {
      epsilon: { type: 'float', value: epsilon },
      momentum: { type: 'float', value: momentum },
    });
  }

  instanceNorm(name: string, x: Value): Value {
    const of = (part: string, value: number): Value =>
      this.parameter(`${name}.${part}`, [channelsOf(x)], constant(value));
    return this.#op('InstanceNormalization', name, [x, of('weight', 1), of('bias', 0)], {
      epsilon: { type: 'float', value: 1e-5 },
    });
  }

  /** Krizhevsky et al. 2012 with TensorFlow's numbers: x / (bias + alpha·Σ over 2·radius + 1 channels of x²)^beta. */
  localResponseNorm(name: string, x: Value, { radius = 2, alpha = 1e-4, beta = 0.75, bias = 1 } = {}): Value {
    const size = 2 * radius + 1;
    return this.#op('LRN', name, [x], {
      size: { type: 'int', value: size },
      // ONNX divides alpha by the window, TensorFlow does not.
      alpha: { type: 'float', value: alpha * size },
      beta: { type: 'float', value: beta },
      bias: { type: 'float', value: bias },
    });
  }

  /** Stays in the graph for training; `forDelivery` takes it out of what is exported. */
  dropout(name: string, x: Value, ratio: number): Value {
    return this.#op('Dropout', name, [x, this.g.constant(float32([], [ratio]), `${name}.ratio`)]);
  }

  relu(x: Value): Value {
    return this.g.relu(x);
  }

  maxPool(x: Value, kernel: number, stride = kernel): Value {
    const [values] = this.g.op('MaxPool', [x], {
      kernel_shape: { type: 'ints', value: [kernel, kernel] },
      strides: { type: 'ints', value: [stride, stride] },
    });
    invariant(values, 'MaxPool has an output');
    return values;
  }

  averagePool(x: Value, kernel: number, stride = kernel): Value {
    return this.g.averagePool(x, { kernel: [kernel, kernel], strides: [stride, stride] });
  }

  /** [N, C, H, W] → [N, C]. */
  globalPool(x: Value): Value {
    return this.g.flatten(this.g.globalAveragePool(x));
  }

  flatten(x: Value): Value {
    return this.g.flatten(x);
  }

  finish(logits: Value): OnnxModel {
    this.g.output('logits', logits);
    return houseModel(this.g.build(this.#title, (_, shape) => ['batch', ...shape.slice(1)]));
  }
}

/** Channels of [N, C, …]. */
export function channelsOf(x: Value): number {
  const channels = x.shape[1];
  invariant(channels !== undefined, `${x.name} has a channel axis`);
  return channels;
}
