import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { floatsOf } from '../../base/tensor.ts';
import { openLanes } from '../../runtime/lanes.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { Network } from '../zoo/network.ts';
import { openSynthesis, type SynthesisOptions } from './synthesis.ts';
import {
  emptyProgress,
  isMade,
  meanLosses,
  restoreSynthesis,
  stepsDone,
  synthesisCheckpoint,
  synthesize,
  type SynthesisProgress,
  type Synthesized,
} from './synthesize.ts';
import { noSimilarity, sampleTargets } from './targets.ts';

const shape = [1, 6, 6] as const;
const classes = 3;
const net = new Network('teacher', { channels: 1, height: 6, width: 6, classes, seed: 4 });
const { graph } = net.finish(net.linear('fc2', net.relu(net.linear('fc1', net.flatten(net.input), 8)), classes));
const teacher = {
  graph,
  inputName: 'input',
  logitsName: 'logits',
  shape,
  classes,
  bounds: [0, 1],
  batchNorms: [],
} as const;

const options: SynthesisOptions = {
  batchSize: 4,
  steps: 7,
  learningRate: 0.1,
  schedule: 'linear',
  temperature: 2,
  pixels: 'clamp',
  initial: 'uniform',
  initialScale: 0.5,
  totalVariation: 0.01,
  sparsity: 0.01,
  batchNormPrior: 0,
  view: { rotationDegrees: 20, scaleMin: 0.9, scaleMax: 1.1, translatePixels: 1 },
  warmStart: false,
  seed: 11,
};
/** Five batches, the last with two images. */
const layout = { count: 18, batchSize: 4, shape };
const targets = sampleTargets(noSimilarity(classes), { kind: 'uniform', count: 18, scales: [0.5], seed: 1 });
const here: SessionOptions = { device: 'cpu', threads: 1 };

/** Each look at the clock moves it on: slow steps make chunks of 1, fast ones of up to all that is left. */
const clock = (msPerLook: number): (() => number) => {
  let atMs = 0;
  return () => (atMs += msPerLook);
};

interface Made {
  readonly progress: SynthesisProgress;
  readonly said: readonly Synthesized[];
  /** The checkpoint at each yield, as it would come back from the disk. */
  readonly checkpoints: readonly ReturnType<typeof synthesisCheckpoint>[];
}

async function make(
  more: Partial<SynthesisOptions> = {},
  { sessions = [here], msPerLook = 0, progress = emptyProgress(layout) } = {},
): Promise<Made> {
  const said: Synthesized[] = [];
  const checkpoints: ReturnType<typeof synthesisCheckpoint>[] = [];
  const input = { teacher, options: { ...options, ...more }, targets, sessions, now: clock(msPerLook) };
  for await (const word of synthesize(input, progress)) {
    said.push(word);
    checkpoints.push(structuredClone(synthesisCheckpoint(progress)));
  }
  return { progress, said, checkpoints };
}

const lossesOf = ({ progress }: Made): number[][] =>
  [...progress.losses.entries()].sort(([a], [b]) => a - b).map(([, losses]) => [...floatsOf(losses)]);

function assertSame(a: Made, b: Made): void {
  assert.deepEqual(a.progress.images, b.progress.images);
  assert.deepEqual(lossesOf(a), lossesOf(b));
}

function lanes(t: TestContext, count: number): SessionOptions[] {
  const opened = openLanes(count);
  t.after(() => Promise.all(opened.map((lane) => lane.close())));
  return opened.map((lane) => ({ ...here, lane }));
}

describe('the synthesis of all batches', () => {
  it('makes every image, the short last batch too, and says how far it is', async () => {
    const { progress, said } = await make();
    for (let i = 0; i < layout.count; i++) {
      assert.ok(isMade(progress, i));
      assert.ok(
        progress.images.subarray(i * 36, (i + 1) * 36).some((value) => value > 0),
        `image ${i}`,
      );
    }
    assert.equal(progress.open.size, 0);
    assert.deepEqual(
      [...progress.losses.keys()].toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4],
    );
    const done = said.map((word) => word.stepsDone);
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
    );
    assert.deepEqual([done.at(-1), said[0]?.stepsTotal], [35, 35]);
    assert.equal(said.filter(({ finalLoss }) => finalLoss !== undefined).length, 5);
    const means = meanLosses(progress, options.steps);
    assert.equal(means.length, 7);
    assert.ok((means[6] ?? 9) < (means[0] ?? 0));
  });

  it('gives the same bits for 1, 2 and 3 lanes, in this process or their own', async (t) => {
    const one = await make();
    assertSame(await make({}, { sessions: [here, here] }), one);
    assertSame(await make({}, { sessions: [here, here, here], msPerLook: 60 }), one);
    assertSame(await make({}, { sessions: lanes(t, 3) }), one);
  });

  it('gives the same bits however the steps are cut into chunks', async () => {
    const [coarse, fine] = [await make(), await make({}, { msPerLook: 1000 })];
    assert.ok(fine.said.length > coarse.said.length);
    assert.equal(fine.said.length, 35);
    assertSame(fine, coarse);
  });

  for (const warmStart of [false, true]) {
    it(`${warmStart ? 'as a warm chain ' : ''}goes on from a checkpoint at any chunk to the same bits`, async () => {
      const straight = await make({ warmStart }, { sessions: [here, here], msPerLook: 200 });
      assert.ok(straight.checkpoints.length > 10);
      for (const { json, tensors, parts } of straight.checkpoints) {
        const progress = restoreSynthesis(layout, json, tensors, parts);
        assertSame(await make({ warmStart }, { sessions: [here], progress }), straight);
      }
    });
  }

  it('keeps in its progress exactly what it has said, however long the listener takes', async () => {
    const progress = emptyProgress(layout);
    const input = { teacher, options, targets, sessions: [here, here, here], now: clock(200) };
    for await (const word of synthesize(input, progress)) {
      // Time in which the other batches finish their chunks.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(stepsDone(progress, options), word.stepsDone);
    }
  });

  it('writes a finished batch once: its parts never change', async () => {
    const { checkpoints } = await make({}, { msPerLook: 200 });
    const seen = new Map<string, unknown>();
    for (const { parts } of checkpoints) {
      for (const name of seen.keys()) assert.ok(name in parts, name);
      for (const [name, value] of Object.entries(parts)) {
        if (seen.has(name)) assert.deepEqual(value, seen.get(name), name);
        seen.set(name, value);
      }
    }
    assert.equal(seen.size, 10);
    assert.deepEqual(checkpoints.at(-1)?.parts['images/4']?.dims, [2, 1, 6, 6]);
  });

  it('starts each batch of a warm chain from the images and moments of the one before', async (t) => {
    const warm = { ...options, warmStart: true };
    const { progress } = await make(warm);
    const synthesis = await openSynthesis(teacher, warm, here);
    t.after(() => synthesis.close());
    let state = synthesis.start(0);
    for (const batch of [0, 1, 2]) {
      const rows = targets.targets.slice(batch * 4 * classes, (batch + 1) * 4 * classes);
      const wanted = { dtype: 'float32', dims: [4, classes], data: rows } as const;
      ({ state } = await synthesis.advance({ batch, state, from: 0, count: 7, targets: wanted }));
      const made = progress.images.subarray(batch * 4 * 36, (batch + 1) * 4 * 36);
      assert.deepEqual(made, floatsOf(state['x'] ?? assert.fail()), `batch ${batch}`);
    }
  });

  it('lets the last batch stand on its own images: filling rows leave no trace in the others', async () => {
    const [all, whole] = [await make(), emptyProgress({ ...layout, count: 16 })];
    const input = { teacher, options, targets, sessions: [here], now: clock(0) };
    for await (const _ of synthesize(input, whole));
    assert.deepEqual(all.progress.images.subarray(0, 16 * 36), whole.images);
  });
});
