import type { Value } from '../../autodiff/builder.ts';
import type { OnnxModel } from '../../onnx/graph.ts';
import { constant, kaimingNormal, normal } from '../initialise.ts';
import { channelsOf, Network, type NetworkOptions } from './network.ts';

const fanOut = { bias: false, weightInit: kaimingNormal({ fan: 'out' }) };

/** Two 3 × 3 convolutions and a 1 × 1 projection where the shape changes; names of torchvision's BasicBlock. */
function basicBlock(net: Network, name: string, x: Value, filters: number, stride: number): Value {
  let y = net.conv(`${name}.conv1`, x, filters, 3, { stride, pad: 1, ...fanOut });
  y = net.relu(net.batchNorm(`${name}.bn1`, y));
  y = net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, y, filters, 3, { pad: 1, ...fanOut }));
  const shortcut =
    stride === 1 && channelsOf(x) === filters
      ? x
      : net.batchNorm(
          `${name}.downsample.1`,
          net.conv(`${name}.downsample.0`, x, filters, 1, { stride, pad: 0, ...fanOut }),
        );
  return net.relu(net.g.add(y, shortcut));
}

/** He et al. 2016, the ImageNet family with a 3 × 3 stem and no first pool, as used on CIFAR. */
export function resnet(title: string, blocks: readonly number[], options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  let x = net.relu(net.batchNorm('bn1', net.conv('conv1', net.input, 64, 3, { pad: 1, ...fanOut })));
  blocks.forEach((count, stage) => {
    for (let block = 0; block < count; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = basicBlock(net, `layer${stage + 1}.${block}`, x, 64 * 2 ** stage, stride);
    }
  });
  return net.finish(net.linear('fc', net.globalPool(x), options.classes));
}

/** Every second pixel, and zeros for the new channels: the parameter-free shortcut (option A) of He et al. 2016. */
function paddedShortcut(net: Network, x: Value, filters: number): Value {
  const [, , height = 1, width = 1] = x.shape;
  const picked = net.g.slice(x, [2, 3], [0, 0], [height, width], [2, 2]);
  const missing = filters - channelsOf(x);
  const before = Math.floor(missing / 2);
  return net.g.pad(picked, [0, before, 0, 0, 0, missing - before, 0, 0]);
}

/** He et al. 2016, section 4.2: 6n + 2 layers for CIFAR with 16, 32 and 64 filters. */
export function cifarResnet(title: string, n: number, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  const init = { bias: false, weightInit: kaimingNormal() };
  let x = net.relu(net.batchNorm('bn1', net.conv('conv1', net.input, 16, 3, { pad: 1, ...init })));
  [16, 32, 64].forEach((filters, stage) => {
    for (let block = 0; block < n; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const name = `layer${stage + 1}.${block}`;
      let y = net.relu(
        net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, x, filters, 3, { stride, pad: 1, ...init })),
      );
      y = net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, y, filters, 3, { pad: 1, ...init }));
      x = net.relu(net.g.add(y, stride === 1 ? x : paddedShortcut(net, x, filters)));
    }
  });
  return net.finish(net.linear('linear', net.globalPool(x), options.classes, { weightInit: kaimingNormal() }));
}

/** Zagoruyko and Komodakis 2016: pre-activation blocks, (depth − 4) / 6 to a stage, `width` times 16, 32, 64 filters. */
export function wideResnet(title: string, depth: number, width: number, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  let x = net.conv('conv1', net.input, 16, 3, { pad: 1, ...fanOut });
  [16, 32, 64].forEach((base, stage) => {
    for (let block = 0; block < (depth - 4) / 6; block++) {
      const filters = base * width;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const name = `block${stage + 1}.layer.${block}`;
      const changes = channelsOf(x) !== filters;
      const activated = net.relu(net.batchNorm(`${name}.bn1`, x));
      let y = net.conv(`${name}.conv1`, activated, filters, 3, { stride, pad: 1, ...fanOut });
      y = net.conv(`${name}.conv2`, net.relu(net.batchNorm(`${name}.bn2`, y)), filters, 3, { pad: 1, ...fanOut });
      const shortcut = changes
        ? net.conv(`${name}.convShortcut`, activated, filters, 1, { stride, ...fanOut })
        : stride === 1
          ? x
          : net.g.slice(x, [2, 3], [0, 0], x.shape.slice(2), [2, 2]);
      x = net.g.add(y, shortcut);
    }
  });
  const features = net.globalPool(net.relu(net.batchNorm('bn1', x)));
  return net.finish(net.linear('fc', features, options.classes, { biasInit: constant(0) }));
}

/** Expansion, filters, blocks and first stride of each stage; the first two strides are 1 for 32 × 32 images. */
const mobileStages = [
  [1, 16, 1, 1],
  [6, 24, 2, 1],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Sandler et al. 2018 with torchvision's names and the strides used on CIFAR (stem and second stage 1). */
export function mobileNetV2(title: string, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  const unit = (name: [string, string], x: Value, filters: number, kernel: number, stride = 1, group = 1): Value => {
    const conv = net.conv(name[0], x, filters, kernel, { stride, pad: (kernel - 1) / 2, group, ...fanOut });
    return net.batchNorm(name[1], conv);
  };
  const relu6 = (x: Value): Value => net.g.clip(x, 0, 6);
  let x = relu6(unit(['features.0.0', 'features.0.1'], net.input, 32, 3));
  let index = 1;
  for (const [expansion, filters, blocks, first] of mobileStages) {
    for (let block = 0; block < blocks; block++, index++) {
      const stride = block === 0 ? first : 1;
      const name = `features.${index}.conv`;
      const hidden = channelsOf(x) * expansion;
      let part = 0;
      let y = x;
      if (expansion !== 1) y = relu6(unit([`${name}.${part}.0`, `${name}.${part++}.1`], y, hidden, 1));
      y = relu6(unit([`${name}.${part}.0`, `${name}.${part++}.1`], y, hidden, 3, stride, hidden));
      y = unit([`${name}.${part}`, `${name}.${part + 1}`], y, filters, 1);
      x = stride === 1 && channelsOf(x) === filters ? net.g.add(x, y) : y;
    }
  }
  x = relu6(unit([`features.${index}.0`, `features.${index}.1`], x, 1280, 1));
  const features = net.dropout('classifier.0', net.globalPool(x), 0.2);
  return net.finish(
    net.linear('classifier.1', features, options.classes, { weightInit: normal(0.01), biasInit: constant(0) }),
  );
}
