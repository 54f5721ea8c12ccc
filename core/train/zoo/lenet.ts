import type { OnnxModel } from '../../onnx/graph.ts';
import { Network, type NetworkOptions } from './network.ts';

/** Filters of the two convolutions, units of the two hidden layers. */
export interface LeNetWidths {
  readonly filters: readonly [number, number];
  readonly hidden: readonly [number, number];
}

/** LeCun et al. 1998 with ReLU and max pooling. Images smaller than 32 × 32 get two pixels of padding. */
export function lenet(title: string, widths: LeNetWidths, options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  const pad = Math.min(options.height, options.width) < 32 ? 2 : 0;
  let x = net.maxPool(net.relu(net.conv('conv1', net.input, widths.filters[0], 5, { pad })), 2);
  x = net.maxPool(net.relu(net.conv('conv2', x, widths.filters[1], 5)), 2);
  x = net.relu(net.linear('fc1', net.flatten(x), widths.hidden[0]));
  x = net.relu(net.linear('fc2', x, widths.hidden[1]));
  return net.finish(net.linear('fc3', x, options.classes));
}

/** Fully connected layers of the given widths with ReLU between them. */
export function mlp(title: string, hidden: readonly number[], options: NetworkOptions): OnnxModel {
  const net = new Network(title, options);
  let x = net.flatten(net.input);
  hidden.forEach((units, i) => (x = net.relu(net.linear(`fc${i + 1}`, x, units))));
  return net.finish(net.linear(`fc${hidden.length + 1}`, x, options.classes));
}
