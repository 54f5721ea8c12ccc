import type { OnnxModel } from '../../onnx/graph.ts';
import { uniform } from '../initialise.ts';
import { Network, type NetworkOptions } from './network.ts';

export interface LeNetZhuOptions {
  /** Of each of the three convolutions; 12 in the paper's code. */
  readonly filters?: number;
  /** Max pooling by 2 in place of the strides of the first two convolutions. */
  readonly pools?: boolean;
}

/**
 * The network of "Deep leakage from gradients" (Zhu et al. 2019) as its code has it: three 5 × 5 convolutions with sigmoid,
 * strides instead of pooling, every weight and bias drawn from U(−0.5, 0.5).
 */
export function lenetZhu(
  title: string,
  { filters = 12, pools = false }: LeNetZhuOptions,
  options: NetworkOptions,
): OnnxModel {
  const net = new Network(title, options);
  const init = { weightInit: uniform(-0.5, 0.5), biasInit: uniform(-0.5, 0.5) };
  let x = net.input;
  [2, 2, 1].forEach((stride, i) => {
    x = net.g.sigmoid(net.conv(`body.${2 * i}`, x, filters, 5, { stride: pools ? 1 : stride, pad: 2, ...init }));
    if (pools && stride === 2) x = net.maxPool(x, 2);
  });
  return net.finish(net.linear('fc.0', net.flatten(x), options.classes, init));
}

/** Three 3 × 3 convolutions of 32, 64 and 64 filters with ReLU, the last two with stride 2; PyTorch's initialisation. */
export function smallConvNet(title: string, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  let x = net.relu(net.conv('conv1', net.input, 32, 3, { pad: 1 }));
  x = net.relu(net.conv('conv2', x, 64, 3, { stride: 2, pad: 1 }));
  x = net.relu(net.conv('conv3', x, 64, 3, { stride: 2, pad: 1 }));
  return net.finish(net.linear('fc', net.flatten(x), options.classes));
}
