import type { OnnxModel } from '../../onnx/graph.ts';
import { constant, normal } from '../initialise.ts';
import { Network, type NetworkOptions } from './network.ts';

/**
 * The classifier of the condensation papers (Gidaris and Komodakis 2018; Zhao et al. 2021): `depth` blocks of 3 × 3
 * convolution, instance norm, ReLU, average pooling by 2, then one linear layer. 28 × 28 images are padded to 32 × 32.
 */
export function convNet(title: string, depth: number, filters: number, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  let x = net.input;
  for (let block = 0; block < depth; block++) {
    const pad = block === 0 && Math.min(options.height, options.width) === 28 ? 3 : 1;
    x = net.relu(net.instanceNorm(`norm${block + 1}`, net.conv(`conv${block + 1}`, x, filters, 3, { pad })));
    x = net.averagePool(x, 2);
  }
  return net.finish(net.linear('classifier', net.flatten(x), options.classes));
}

const vggStages = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  19: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
} as const;

/**
 * Simonyan and Zisserman 2015 as used on CIFAR: batch norm after each convolution, one linear layer. Layer indices are
 * those of the usual PyTorch Sequential. Images smaller than 32 × 32 are padded to that size by the first layer.
 */
export function vgg(title: string, depth: keyof typeof vggStages, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  const missing = Math.max(0, 32 - Math.min(options.height, options.width));
  let x = net.input;
  let index = 0;
  for (const stage of vggStages[depth]) {
    for (const filters of stage) {
      const pad = index === 0 ? 1 + Math.ceil(missing / 2) : 1;
      x = net.conv(`features.${index}`, x, filters, 3, { pad });
      x = net.relu(net.batchNorm(`features.${index + 1}`, x));
      index += 3;
    }
    x = net.maxPool(x, 2);
    index += 1;
  }
  return net.finish(net.linear('classifier', net.globalPool(x), options.classes));
}

const narrow = normal(0.01);
const zero = { weightInit: narrow, biasInit: constant(0) };
const one = { weightInit: narrow, biasInit: constant(1) };

/**
 * The CIFAR AlexNet of the zero-shot distillation code (Nayak et al. 2019): ReLU, local response norm, pool and batch
 * norm in this order; weights N(0, 0.01²), biases 0 or 1. `share` 1/2 halves filters and hidden units.
 */
export function alexnet(title: string, share: 1 | 0.5, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  let x = net.relu(net.conv('conv1', net.input, 48 * share, 5, { pad: 2, ...zero }));
  x = net.batchNorm('bn1', net.maxPool(net.localResponseNorm('lrn1', x), 3, 2), { epsilon: 1e-3 });
  x = net.relu(net.conv('conv2', x, 128 * share, 5, { pad: 2, ...one }));
  x = net.batchNorm('bn2', net.maxPool(net.localResponseNorm('lrn2', x), 3, 2), { epsilon: 1e-3 });
  x = net.batchNorm('bn3', net.relu(net.conv('conv3', x, 192 * share, 3, { pad: 1, ...zero })), { epsilon: 1e-3 });
  x = net.batchNorm('bn4', net.relu(net.conv('conv4', x, 192 * share, 3, { pad: 1, ...one })), { epsilon: 1e-3 });
  x = net.relu(net.conv('conv5', x, 128 * share, 3, { pad: 1, ...one }));
  x = net.batchNorm('bn5', net.maxPool(x, 3, 2), { epsilon: 1e-3 });
  x = net.dropout('drop1', net.relu(net.linear('fc1', net.flatten(x), 512 * share, one)), 0.5);
  x = net.batchNorm('bn6', x, { epsilon: 1e-3 });
  x = net.dropout('drop2', net.relu(net.linear('fc2', x, 256 * share, one)), 0.5);
  x = net.batchNorm('bn7', x, { epsilon: 1e-3 });
  return net.finish(net.linear('fc3', x, options.classes, zero));
}
