import { invariant } from '../base/errors.ts';
import { float32, floatsOf, sizeOf, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { compileLoop, type CompiledLoop, type LoopBody, type LoopTypes } from '../runtime/loop.ts';
import { compile, type Session, type SessionOptions } from '../runtime/session.ts';
import { fewWeightBytes, multiplyAdds, weightBytes } from '../train/cost.ts';
import { defendedLook, drawShape, drawsOf, type RandomDefence } from './defence.ts';
import { fusedLook, inputGradient, lookAt, lossGradient, type AttackedModel, type Fusion, type Look } from './look.ts';
import type { Objective } from './objectives.ts';

export interface Scores {
  /** [N, K], row-major. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** [N, C, H, W]. */
  readonly gradient: Float32Array<ArrayBuffer>;
}

/**
 * A model in the hands of an attacker. Graphs are compiled when they are first needed, for batches of powers of two: as
 * samples fall, the batch shrinks. Images are [N, C, H, W] row-major in the model's bounds, N as long as the array says.
 */
export interface Victim {
  readonly model: AttackedModel;
  /** C·H·W. */
  readonly size: number;
  readonly classes: number;
  /** Lowest and highest value of a pixel. */
  readonly bounds: readonly [number, number];
  /** Images in one call of the engine. */
  readonly batchSize: number;
  /** Steps of an attack in one Loop, chosen from what a step costs and never from the clock, which would change bits. */
  readonly stepsPerChunk: number;
  /** Queries in one Loop, likewise. */
  readonly queriesPerChunk: number;
  /** Draws of a random defence that each answer and each gradient of a loss is averaged over; 1 without. */
  readonly looks: number;
  logits(images: Float32Array): Promise<Float32Array<ArrayBuffer>>;
  /** (dz/dx)ᵀ v for each image, v [N, K]: any loss of the logits, differentiated by hand. */
  vjp(images: Float32Array, cotangents: Float32Array): Promise<Scores>;
  /** Gradient of an objective summed over the images, so that rows do not depend on how many there are. */
  gradient(
    objective: Objective,
    images: Float32Array,
    goals: Goals,
  ): Promise<Scores & { readonly losses: Float32Array }>;
  /**
   * A Loop over batches of `batch` images, compiled once per key; `body` sees the model through `look`. With a random
   * defence each step has draws of its own if it is fed with `draws`, and else the same ones.
   */
  loop(key: string, batch: number, define: LoopDefinition): Promise<CompiledLoop>;
  /** What the steps of a Loop from `first` on are fed with beside what they name themselves. */
  draws(first: number, count: number): Readonly<Record<string, Tensor>>;
  close(): Promise<void>;
}

/** Classes that an objective speaks of, one per image. */
export interface Goals {
  readonly labels: ArrayLike<number>;
  /** The classes to reach, for objectives with a target. */
  readonly targets?: ArrayLike<number>;
}

export interface LoopDefinition {
  types(batch: number): LoopTypes;
  body(look: Look): LoopBody;
}

/** Multiply-adds of one step of a batch, about: forward and backward. */
const stepWork = 4e10;
/** Multiply-adds of one chunk of steps. */
const chunkWork = 3e9;
const mostImages = 64;
/** Compiled graphs that stay open: as many as hold about this much of weights, within limits. */
const openBytes = 1e9;
const [fewestOpen, mostOpen] = [6, 48];

export interface VictimOptions {
  readonly session: SessionOptions;
  /** Default [0, 1]. */
  readonly bounds?: readonly [number, number];
  /** Other models of the same images and classes that are attacked together with the model. */
  readonly fused?: { readonly models: readonly AttackedModel[]; readonly by: Fusion };
  /** Stands before the model; its answers are averages. */
  readonly defence?: RandomDefence | undefined;
}

/** @throws OP_NO_GRADIENT when a gradient is first asked of a model that has none. */
export function openVictim(model: AttackedModel, options: VictimOptions): Victim {
  const { session, bounds = [0, 1], fused, defence } = options;
  const { graph, shape, classes } = model;
  const size = sizeOf(shape);
  const members = [model, ...(fused?.models ?? [])];
  const sumOver = (of: (each: AttackedModel) => number): number => members.reduce((sum, each) => sum + of(each), 0);
  const once = sumOver((each) => multiplyAdds(each.graph, [1, ...shape]));
  const cost = 3 * (defence?.looks ?? 1) * Math.max(1, once);
  const batchSize = Math.max(1, Math.min(mostImages, 2 ** Math.floor(Math.log2(Math.max(1, stepWork / cost)))));
  const stepsPerChunk = Math.max(1, Math.min(10, Math.floor(chunkWork / (cost * batchSize))));
  const queriesPerChunk = Math.max(1, Math.min(100, Math.floor((3 * chunkWork) / (cost * batchSize))));
  const bytes = sumOver((each) => weightBytes(each.graph));
  const spendsMemory = bytes <= fewWeightBytes;
  const heldBytes = (spendsMemory ? 2 : 1) * Math.max(1, bytes);
  const most = Math.max(fewestOpen, Math.min(mostOpen, Math.floor(openBytes / heldBytes)));
  const sessions = compiledFew<Session>(most);
  const loops = compiledFew<CompiledLoop>(most);
  const looks = members.map((each) => lookAt(each, spendsMemory));
  const plain = fused ? fusedLook(looks, fused.by) : lookAt(model, spendsMemory);
  /** Through the defence with draws that do not change: those of the judge, or of attackers. */
  const through = (name: 'judge' | 'attack', g: GraphBuilder): Look => {
    if (!defence) return plain;
    const { data, dims } = drawsOf(defence, shape, name, 0, 1);
    return defendedLook(plain, defence, g.constant({ dtype: 'float32', data, dims: dims.slice(1) }));
  };
  const sessionFor = (key: string, batch: number, emit: (g: GraphBuilder, images: Value) => void): Promise<Session> =>
    sessions.get(`${key}/${batch}`, () => {
      const g = new GraphBuilder('', session.device === 'cpu' ? 'cpu' : 'gpu');
      emit(g, g.input('images', 'float32', [batch, ...shape]));
      return compile(g.build(`${graph.name} ${key}`), session);
    });
  /** Runs all rows in batches; `feeds` gives what goes in beside the images, by the rows [from, to). */
  const inBatches = async (
    key: string,
    images: Float32Array,
    widths: Readonly<Record<string, number>>,
    feeds: Readonly<Record<string, Float32Array>>,
    emit: (g: GraphBuilder, images: Value, batch: number) => void,
  ): Promise<Record<string, Float32Array<ArrayBuffer>>> => {
    const count = images.length / size;
    const results = Object.fromEntries(
      Object.entries(widths).map(([name, width]) => [name, new Float32Array(count * width)]),
    );
    for (const { from, to, batch } of batchesOf(count, batchSize)) {
      const run = await sessionFor(key, batch, (g, x) => emit(g, x, batch));
      const inputs = { images: float32([batch, ...shape], padded(images, size, from, to, batch)) };
      const others = Object.entries(feeds).map(([name, rows]) => {
        const width = rows.length / count;
        return [name, float32([batch, width], padded(rows, width, from, to, batch))] as const;
      });
      const outputs = await run.run({ ...inputs, ...Object.fromEntries(others) });
      for (const [name, width] of Object.entries(widths)) {
        const value = outputs[name];
        invariant(value, `${key} gives ${name}`);
        results[name]?.set(floatsOf(value).subarray(0, (to - from) * width), from * width);
      }
    }
    return results;
  };
  return {
    model,
    size,
    classes,
    bounds,
    batchSize,
    stepsPerChunk,
    queriesPerChunk,
    looks: defence?.looks ?? 1,
    draws: (first, count) => (defence ? { draws: drawsOf(defence, shape, 'attack', first, count) } : {}),
    async logits(images) {
      const { logits } = await inBatches('logits', images, { logits: classes }, {}, (g, x) => {
        g.output('logits', through('judge', g)(g, x));
      });
      return found(logits);
    },
    async vjp(images, cotangents) {
      const widths = { logits: classes, gradient: size };
      const results = await inBatches('vjp', images, widths, { cotangents }, (g, x, batch) => {
        const logits = through('attack', g)(g, x);
        const cotangent = g.input('cotangents', 'float32', [batch, classes]);
        g.output('logits', logits);
        g.output('gradient', inputGradient(g, logits, cotangent, x, model));
      });
      return { logits: found(results['logits']), gradient: found(results['gradient']) };
    },
    async gradient(objective, images, { labels, targets }) {
      const widths = { logits: classes, gradient: size, losses: 1 };
      const feeds = {
        labels: oneHot(labels, classes),
        ...(targets ? { targets: oneHot(targets, classes) } : {}),
      };
      const results = await inBatches(`gradient of ${objective}`, images, widths, feeds, (g, x, batch) => {
        const rows = (name: string): Value => g.input(name, 'float32', [batch, classes]);
        const goals = { labels: rows('labels'), targets: targets ? rows('targets') : undefined };
        const about = { seen: x, images: x, goals };
        const { logits, loss, gradient } = lossGradient(g, through('attack', g), model, objective, about);
        g.output('logits', logits);
        g.output('losses', g.reshape(loss, [batch, 1]));
        g.output('gradient', gradient);
      });
      return {
        logits: found(results['logits']),
        gradient: found(results['gradient']),
        losses: found(results['losses']),
      };
    },
    loop: (key, batch, define) =>
      loops.get(`${key}/${batch}`, () => {
        const [name, types] = [`${graph.name} ${key}`, define.types(batch)];
        return defence
          ? defendedLoop(name, types, define, { plain, defence, shape, session })
          : compileLoop(name, types, define.body(plain), session);
      }),
    async close() {
      await sessions.close();
      await loops.close();
    },
  };
}

interface Defended {
  readonly plain: Look;
  readonly defence: RandomDefence;
  readonly shape: AttackedModel['shape'];
  readonly session: SessionOptions;
}

/** A Loop that sees the model through the defence: new draws at each step, where it is fed with them. */
async function defendedLoop(
  name: string,
  types: LoopTypes,
  { body }: LoopDefinition,
  { plain, defence, shape, session }: Defended,
): Promise<CompiledLoop> {
  const draws = { dtype: 'float32', shape: [defence.looks, ...drawShape(defence, shape)] } as const;
  const loop = await compileLoop(
    name,
    { ...types, steps: { ...types.steps, draws } },
    (g, values) => {
      const own = values.steps['draws'];
      invariant(own, 'the loop has its draws');
      return body(defendedLook(plain, defence, own))(g, values);
    },
    session,
  );
  return {
    run: (feeds) => {
      const first = drawsOf(defence, shape, 'attack', 0, 1);
      const same = float32([feeds.count, ...draws.shape], repeated(floatsOf(first), feeds.count));
      return loop.run({ ...feeds, steps: { draws: same, ...feeds.steps } });
    },
    close: () => loop.close(),
  };
}

function repeated(row: Float32Array, count: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(row.length * count);
  for (let k = 0; k < count; k++) rows.set(row, k * row.length);
  return rows;
}

interface Few<T> {
  get(key: string, make: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Keeps what was used last: each holds the weights of the model, and large models would fill the memory. */
function compiledFew<T extends { close(): Promise<void> }>(most: number): Few<T> {
  const open = new Map<string, Promise<T>>();
  const closing = new Set<Promise<void>>();
  return {
    get(key, make) {
      const known = open.get(key);
      open.delete(key);
      const one = known ?? make();
      open.set(key, one);
      const [oldest] = open;
      if (oldest && open.size > most) {
        open.delete(oldest[0]);
        const gone: Promise<void> = oldest[1].then(
          (each) => each.close(),
          () => undefined,
        );
        closing.add(gone);
        void gone.finally(() => closing.delete(gone));
      }
      return one;
    },
    async close() {
      const all = await Promise.allSettled(open.values());
      open.clear();
      for (const result of all) if (result.status === 'fulfilled') await result.value.close();
      await Promise.allSettled(closing);
    },
  };
}

const found = <T>(value: T | undefined): T => {
  invariant(value !== undefined, 'the session gives what was asked of it');
  return value;
};

/** Rows [N, classes] with 1 at each label. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) rows[i * classes + labels[i]!] = 1;
  return rows;
}

export interface BatchRange {
  readonly from: number;
  readonly to: number;
  /** Compiled size, at least to − from. */
  readonly batch: number;
}

/** Full batches, then the rest in the smallest power of two that holds it. */
export function batchesOf(count: number, batchSize: number): BatchRange[] {
  const ranges: BatchRange[] = [];
  for (let from = 0; from < count; from += batchSize) {
    const to = Math.min(count, from + batchSize);
    ranges.push({ from, to, batch: Math.min(batchSize, 2 ** Math.ceil(Math.log2(to - from))) });
  }
  return ranges;
}

/** Rows [from, to) of `width` each; what is missing to `batch` rows repeats the last one, so that no row is odd. */
export function padded(
  rows: Float32Array,
  width: number,
  from: number,
  to: number,
  batch: number,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(batch * width);
  result.set(rows.subarray(from * width, to * width));
  const last = rows.subarray((to - 1) * width, to * width);
  for (let i = to - from; i < batch; i++) result.set(last, i * width);
  return result;
}
