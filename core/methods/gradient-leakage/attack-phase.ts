import { sizeOf } from '../../base/tensor.ts';
import type { ResultMetrics } from '../../contract/run.ts';
import { pngGrid } from '../../data/write.ts';
import { isIdentified } from '../../leakage/score.ts';
import { pool } from '../../runtime/pool.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import type { MethodEvent } from '../context.ts';
import { stopIfAborted, type Events } from '../events.ts';
import { runUnit, unitsOf, unitSteps, type UnitDone, type UnitProgress } from './attack-unit.ts';
import { byDefence, errorOf, meanOf, type DefenceFacts } from './figures.ts';
import { batchItems, take } from './inputs.ts';
import { filmGap, type AttacksData, type UnitResult } from './report-data.ts';
import { fractionOf } from './shares.ts';
import { checkpoint, said, type Work } from './work.ts';

/** Images shown. */
const mostColumns = 12;

/** All attacks, several side by side; then their scores and pictures. */
export async function* attackPhase(work: Work, facts: readonly DefenceFacts[]): Events<ResultMetrics> {
  const { ctx, state, unitWork, defences } = work;
  const { params, signal } = ctx;
  const units = unitsOf(params, defences);
  if (units.length === 0) return {};
  const total = units.reduce((sum, unit) => sum + unitSteps(unitWork, unit), 0);
  const made = new Map<string, number>();
  const left = units.filter(({ id }) => !state.done.has(id));
  const attacks = pool(work.lanes, left, (unit, session) => runUnit(unit, unitWork, session, state.open.get(unit.id)));
  let shown = 0;
  for await (const heard of untilAborted(attacks, signal)) {
    note(work, heard);
    const { unit, step, totalSteps, distance, mse, done } = heard;
    const share = done ? 1 : step / Math.max(1, totalSteps);
    made.set(unit.id, share * unitSteps(unitWork, unit));
    for (const [name, value] of [
      ['distance', distance],
      ['mse', mse],
    ] as const) {
      if (Number.isFinite(value)) {
        yield { type: 'metric', name: `${name}.${unit.id}`, step: done?.result.steps ?? step, value };
      }
    }
    const reached = units.reduce(
      (sum, each) => sum + (state.done.has(each.id) ? unitSteps(unitWork, each) : (made.get(each.id) ?? 0)),
      0,
    );
    yield {
      type: 'progress',
      phase: 'attacks',
      step: Math.round(reached),
      totalSteps: total,
      fraction: fractionOf(work, 'attacks', (0.99 * reached) / total),
    };
    if (done) {
      for (const message of troubles(done.result)) yield { type: 'log', level: 'warning', message };
      // Live pictures at 1, 2, 4, 8 … finished attacks: files stay few.
      if (state.done.size >= 2 * shown) {
        shown = state.done.size;
        yield* pictures(work, 0);
      }
    }
    yield { type: 'checkpoint', capture: () => checkpoint(work, 'attacks') };
    signal.throwIfAborted();
  }
  yield* stopIfAborted(signal, () => checkpoint(work, 'attacks'));
  for (let defence = 0; defence < defences.length; defence++) yield* pictures(work, defence);
  const results = units
    .flatMap(({ id }) => state.done.get(id)?.result ?? [])
    .map((result) => withIdentity(work, result));
  const json: AttacksData = {
    figures: byDefence(results, facts),
    attack: params.attack,
    batchSize: params.batchSize,
    units: results,
    galleryCount: Math.min(params.gallery, work.inputs.own.count),
    history: params.history,
  };
  yield { type: 'artifact', name: 'attacks', title: 'Attacks and their scores', content: { json } };
  const { success, ...metrics } = metricsOf(json);
  if (success !== undefined) yield said(`Recovered ${(100 * success).toFixed(0)} % of the images without a defence.`);
  return { ...metrics, ...(success === undefined ? {} : { success }) };
}

function troubles({ id, failure, ends }: UnitResult): readonly string[] {
  const diverged = ends.filter((end) => end === 'diverged').length;
  return [
    ...(failure === null ? [] : [`Run ${id}: ${failure}`]),
    ...(diverged === 0
      ? []
      : [`Run ${id}: ${diverged} of ${ends.length} restarts diverged; the best iterate before that is kept.`]),
  ];
}

function note({ state }: Work, { unit, state: reached, done }: UnitProgress): void {
  if (done) {
    state.done.set(unit.id, done);
    state.open.delete(unit.id);
  } else if (reached) state.open.set(unit.id, reached);
}

/** A film: the true images above, then where each attack stood, from its start to what was kept; a column an image. */
async function* pictures(work: Work, defence: number): AsyncGenerator<MethodEvent, void, void> {
  const { state, inputs, ctx } = work;
  const { params } = ctx;
  const shape = inputs.model.shape;
  if (shape[0] !== 1 && shape[0] !== 3) return;
  const size = sizeOf(shape);
  const columns: Float32Array[] = [];
  const runs = params.gradientFile === '' ? params.runs : 1;
  for (let run = 0; run < runs; run++) {
    const done = state.done.get(`${defence}.${bestVariant(state.done, defence, run)}.${run}`);
    if (!done) continue;
    const [, batch = 1] = done.frames.dims;
    const truth = params.gradientFile === '' ? truthOf(work, run) : undefined;
    for (let k = 0; k < batch && columns.length < mostColumns; k++) {
      columns.push(filmOf(done, k, params.history, truth, size));
    }
  }
  if (columns.length === 0) return;
  const rows = params.history + 1;
  const all = new Float32Array(rows * columns.length * size);
  columns.forEach((film, column) => {
    for (let row = 0; row < rows; row++) {
      all.set(film.subarray(row * size, (row + 1) * size), (row * columns.length + column) * size);
    }
  });
  const dims = [rows * columns.length, ...shape] as const;
  const bytes = await pngGrid(all, dims, { columns: columns.length, gap: filmGap });
  yield {
    type: 'artifact',
    name: `pictures-${defence}.png`,
    title: 'True images and their recovery',
    content: { bytes, mediaType: 'image/png' },
    meta: { rows, columns: columns.length },
  };
}

function truthOf({ inputs, ctx: { params } }: Work, run: number): Float32Array {
  const items = batchItems(inputs.own.labels, params.labelChoice, params.batchSize, run, params.seed);
  return take(inputs.own, items, inputs.model.shape).images.data;
}

/** The truth (black where it is not known), then `history` pictures; an attack that ended early repeats its last. */
function filmOf(
  { frames }: UnitDone,
  image: number,
  history: number,
  truth: Float32Array | undefined,
  size: number,
): Float32Array {
  const [count = 1, batch = 1] = frames.dims;
  const film = new Float32Array((history + 1) * size);
  if (truth) film.set(truth.subarray(image * size, (image + 1) * size));
  for (let f = 0; f < history; f++) {
    const from = (Math.min(f, count - 1) * batch + image) * size;
    film.set(frames.data.subarray(from, from + size), (f + 1) * size);
  }
  return film;
}

/** What an auditor counts with: the attack that came closer. */
function bestVariant(done: ReadonlyMap<string, UnitDone>, defence: number, run: number): 'plain' | 'adapted' {
  const of = (variant: string): number => {
    const found = done.get(`${defence}.${variant}.${run}`);
    return found ? errorOf(found.result) : Number.NaN;
  };
  return of('adapted') < of('plain') ? 'adapted' : 'plain';
}

/** Whether each reconstruction is nearest to its own image in the gallery. */
function withIdentity({ inputs, ctx: { params }, state }: Work, result: UnitResult): UnitResult {
  const { own, model } = inputs;
  const size = sizeOf(model.shape);
  const frames = state.done.get(result.id)?.frames;
  if (!frames || result.images.length === 0) return result;
  const items = batchItems(own.labels, params.labelChoice, params.batchSize, result.run, params.seed);
  const gallery = [...new Set([...items, ...Array.from({ length: Math.min(params.gallery, own.count) }, (_, i) => i)])];
  const { images, labels } = take(own, gallery, model.shape);
  const [count = 1, batch = 1] = frames.dims;
  return {
    ...result,
    images: result.images.map((image, k) => {
      const from = ((count - 1) * batch + k) * size;
      const found = frames.data.subarray(from, from + size);
      const truth = gallery.indexOf(items[k] ?? -1);
      const identified = isIdentified(found, truth, { images: images.data, labels, size });
      return { ...image, identified: image.mse === null ? false : (identified ?? null) };
    }),
  };
}

function metricsOf({ units, figures: [plain, ...defended] }: AttacksData): ResultMetrics & { success?: number } {
  const own = units.filter(({ defence }) => defence === 0);
  const norms = own.map(({ norm }) => norm).toSorted((a, b) => a - b);
  const failed = own.filter(({ failure, ends }) => failure !== null || ends.every((end) => end === 'diverged'));
  const common = {
    gradientNorm: norms[Math.floor(norms.length / 2)] ?? null,
    evaluations: meanOf(own.map(({ evaluations }) => evaluations)),
    failures: failed.length / own.length,
  };
  if (!plain?.success) return common;
  const shares = defended.flatMap(({ success }) => success?.share ?? []);
  return {
    ...common,
    success: plain.success.share,
    labelAccuracy: plain.labelAccuracy,
    psnr: plain.psnrDb,
    ssim: plain.ssim,
    identified: plain.identified,
    ...(shares.length === 0 ? {} : { bestDefendedSuccess: Math.min(...shares) }),
  };
}
