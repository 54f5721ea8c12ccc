import { invariant } from '../base/errors.ts';
import { stream } from '../base/rng.ts';
import { float32, type Tensor } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import { compile, type Device } from '../runtime/session.ts';

export interface Speed {
  readonly device: Device;
  readonly threads: number;
  /** 1e9 floating-point operations a second, a multiplication and an addition counted as two. */
  readonly gflops: number;
}

const conv = { batch: 16, from: 32, to: 64, side: 28, kernel: 3 } as const;
const matmul = 512;

/** Operations of one run: a 3 × 3 convolution and a square matrix product, which is what classifiers are made of. */
const operations = 2 * conv.batch * conv.to * conv.side ** 2 * conv.from * conv.kernel ** 2 + 2 * matmul ** 3;

function workload(): { graph: Graph; feeds: Record<string, Tensor> } {
  const rng = stream(1, 'speed');
  const random = (shape: readonly number[]): Tensor => {
    const size = shape.reduce((a, b) => a * b, 1);
    return float32(
      shape,
      Array.from({ length: size }, () => rng.normal() / 16),
    );
  };
  const images = [conv.batch, conv.from, conv.side, conv.side];
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', images);
  const a = g.input('a', 'float32', [matmul, matmul]);
  const filters = g.constant(random([conv.to, conv.from, conv.kernel, conv.kernel]));
  g.output('y', g.relu(g.conv(x, filters, undefined, { pads: [1, 1, 1, 1] })));
  g.output('b', g.matmul(a, g.constant(random([matmul, matmul]))));
  return { graph: g.build('speed'), feeds: { x: random(images), a: random([matmul, matmul]) } };
}

/**
 * Runs a fixed piece of work on onnxruntime for about `targetMs`. The quickest run counts: whatever else computes
 * meanwhile slows only the others. `elapsed`: monotonic milliseconds.
 */
export async function measureSpeed(
  device: Device,
  threads: number,
  elapsed: () => number,
  targetMs = 500,
): Promise<Speed> {
  const { graph, feeds } = workload();
  const session = await compile(graph, { device, threads });
  try {
    await session.run(feeds);
    const start = elapsed();
    let best = Number.POSITIVE_INFINITY;
    for (let before = start; before - start < targetMs;) {
      await session.run(feeds);
      const after = elapsed();
      best = Math.min(best, after - before);
      before = after;
    }
    invariant(best > 0, 'the clock moves');
    return { device, threads, gflops: operations / best / 1e6 };
  } finally {
    await session.close();
  }
}
