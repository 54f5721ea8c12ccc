import { toWorkbenchError, WorkbenchError } from '../../base/errors.ts';
import type { OnnxModel } from '../../onnx/graph.ts';
import { lenetZhu, smallConvNet } from './leaky.ts';
import { lenet, mlp } from './lenet.ts';
import type { NetworkOptions } from './network.ts';
import { alexnet, convNet, vgg } from './plain.ts';
import { cifarResnet, mobileNetV2, resnet, wideResnet } from './residual.ts';

/** A classifier that can be built for any image size and class count, initialised from a seed. */
export interface Architecture {
  readonly title: string;
  readonly help: string;
  /** [C, H, W] of the data set it was made for. */
  readonly defaultInput: readonly [number, number, number];
  /** Input 'input' ['batch', C, H, W], output 'logits' ['batch', classes]. */
  build(options: NetworkOptions): OnnxModel;
}

const digits = [1, 28, 28] as const;
const cifar = [3, 32, 32] as const;

export const architectures: Readonly<Record<string, Architecture>> = {
  lenet5: {
    title: 'LeNet-5',
    help: 'LeCun et al. 1998 with ReLU and max pooling; 61,706 parameters on 28 × 28 images with 10 classes',
    defaultInput: digits,
    build: (options) => lenet('lenet5', { filters: [6, 16], hidden: [120, 84] }, options),
  },
  'lenet5-half': {
    title: 'LeNet-5-Half (filters and units)',
    help: 'LeNet-5 with 3 and 8 filters, 60 and 42 units: 15,738 parameters',
    defaultInput: digits,
    build: (options) => lenet('lenet5-half', { filters: [3, 8], hidden: [60, 42] }, options),
  },
  'lenet5-half-filters': {
    title: 'LeNet-5-Half (filters only)',
    help: 'LeNet-5 with 3 and 8 filters and full hidden layers: 35,820 parameters; the student of the ZSKD paper',
    defaultInput: digits,
    build: (options) => lenet('lenet5-half-filters', { filters: [3, 8], hidden: [120, 84] }, options),
  },
  mlp: {
    title: 'MLP',
    help: 'One hidden layer of 128 units with ReLU',
    defaultInput: digits,
    build: (options) => mlp('mlp', [128], options),
  },
  'lenet-zhu': {
    title: 'LeNet (Zhu)',
    help: 'The network of the gradient leakage papers: sigmoid, strides, weights from U(−0.5, 0.5); 13,426 parameters',
    defaultInput: digits,
    build: (options) => lenetZhu('lenet-zhu', {}, options),
  },
  'lenet-zhu-pool': {
    title: 'LeNet (Zhu) with max pooling',
    help: 'The same with max pooling instead of strides: 13,426 parameters',
    defaultInput: digits,
    build: (options) => lenetZhu('lenet-zhu-pool', { pools: true }, options),
  },
  'lenet-zhu-wide': {
    title: 'LeNet (Zhu) of twice the width',
    help: 'The same with 24 filters in each convolution: 41,242 parameters',
    defaultInput: digits,
    build: (options) => lenetZhu('lenet-zhu-wide', { filters: 24 }, options),
  },
  'convnet-small': {
    title: 'ConvNet (small, ReLU)',
    help: 'Three convolutions of 32, 64 and 64 filters, no normalisation: 97,290 parameters',
    defaultInput: cifar,
    build: (options) => smallConvNet('convnet-small', options),
  },
  convnet3: {
    title: 'ConvNet-3',
    help: 'Three blocks of 128 filters with instance norm and average pooling, as in the condensation papers',
    defaultInput: cifar,
    build: (options) => convNet('convnet3', 3, 128, options),
  },
  alexnet: {
    title: 'AlexNet (CIFAR)',
    help: 'The teacher of the ZSKD paper on CIFAR-10: 1,659,178 parameters',
    defaultInput: cifar,
    build: (options) => alexnet('alexnet', 1, options),
  },
  'alexnet-half': {
    title: 'AlexNet-Half (CIFAR)',
    help: 'AlexNet with half the filters and hidden units: 417,434 parameters',
    defaultInput: cifar,
    build: (options) => alexnet('alexnet-half', 0.5, options),
  },
  vgg11: {
    title: 'VGG-11',
    help: 'With batch norm and one linear layer, as used on CIFAR',
    defaultInput: cifar,
    build: (options) => vgg('vgg11', 11, options),
  },
  vgg19: {
    title: 'VGG-19',
    help: 'With batch norm and one linear layer, as used on CIFAR',
    defaultInput: cifar,
    build: (options) => vgg('vgg19', 19, options),
  },
  resnet18: {
    title: 'ResNet-18',
    help: 'With a 3 × 3 stem for 32 × 32 images: 11,173,962 parameters',
    defaultInput: cifar,
    build: (options) => resnet('resnet18', [2, 2, 2, 2], options),
  },
  resnet34: {
    title: 'ResNet-34',
    help: 'With a 3 × 3 stem for 32 × 32 images: 21,282,122 parameters',
    defaultInput: cifar,
    build: (options) => resnet('resnet34', [3, 4, 6, 3], options),
  },
  resnet20: {
    title: 'ResNet-20',
    help: 'The small CIFAR family of He et al. 2016 with parameter-free shortcuts: 269,722 parameters',
    defaultInput: cifar,
    build: (options) => cifarResnet('resnet20', 3, options),
  },
  'wrn-40-2': {
    title: 'WideResNet-40-2',
    help: 'Zagoruyko and Komodakis 2016, 40 layers of twice the width',
    defaultInput: cifar,
    build: (options) => wideResnet('wrn-40-2', 40, 2, options),
  },
  'wrn-16-1': {
    title: 'WideResNet-16-1',
    help: 'Zagoruyko and Komodakis 2016, 16 layers: a small student',
    defaultInput: cifar,
    build: (options) => wideResnet('wrn-16-1', 16, 1, options),
  },
  'mobilenet-v2': {
    title: 'MobileNetV2',
    help: 'Sandler et al. 2018 with the strides used on CIFAR',
    defaultInput: cifar,
    build: (options) => mobileNetV2('mobilenet-v2', options),
  },
};

/** Builds an architecture of the zoo by name. Throws PARAM_INVALID for an unknown name or images too small for it. */
export function buildArchitecture(id: string, options: NetworkOptions): OnnxModel {
  const architecture = Object.hasOwn(architectures, id) ? architectures[id] : undefined;
  if (!architecture) {
    throw new WorkbenchError('PARAM_INVALID', `Unknown architecture "${id}"`, {
      hint: `Known architectures: ${Object.keys(architectures).join(', ')}.`,
    });
  }
  try {
    return architecture.build(options);
  } catch (thrown) {
    const error = toWorkbenchError(thrown);
    if (error.code !== 'SHAPE_MISMATCH') throw thrown;
    const { channels, height, width } = options;
    throw new WorkbenchError(
      'PARAM_INVALID',
      `${architecture.title} cannot take images of ${channels} × ${height} × ${width}: ${error.message}`,
      { hint: `It was made for ${architecture.defaultInput.join(' × ')}.`, cause: thrown },
    );
  }
}
