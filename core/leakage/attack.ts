import { invariant, WorkbenchError } from '../base/errors.ts';
import { float32, sizeOf, type FloatTensor } from '../base/tensor.ts';
import { argmaxRows } from '../metrics/classification.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { boundsOf, openAdamAttack } from './attack-adam.ts';
import { createLbfgsRun } from './attack-lbfgs.ts';
import type { AttackRun, RunBest, RunEnd, RunProgress, RunState } from './attack-run.ts';
import type { AttackSettings } from './attack-settings.ts';
import { startLabelLogits, startPixels } from './attack-start.ts';
import { openObjective } from './objective.ts';
import { groupMean } from './registration.ts';
import type { SharedGradients } from './victim-gradient.ts';
import { refuseVanished } from './victim-match.ts';
import type { Victim } from './victim.ts';

/** What stands at some moment of an attack, in pixels of [0, 1] whatever the space it moves in; not clipped. */
export interface AttackProgress {
  readonly restart: number;
  /** Steps made in all restarts together, and to be made at most. */
  readonly step: number;
  readonly totalSteps: number;
  readonly distance: number;
  readonly total: number;
  /** Of the objective's gradient, in all restarts together. */
  readonly evaluations: number;
  /** The current iterate of this restart, [N, C, H, W]. */
  readonly images: FloatTensor;
  /** Per image: as known, or the largest of the guessed logits. */
  readonly labels: readonly number[];
  readonly isDone: boolean;
}

/** What an attack gives in the end. */
export interface AttackOutcome {
  /** Of the restart with the lowest distance, priors left out. */
  readonly images: FloatTensor;
  readonly labels: readonly number[];
  readonly distance: number;
  readonly restart: number;
  readonly evaluations: number;
  /** How each restart ended, and the distance it reached (its best; Infinity where there was none). */
  readonly restarts: readonly { readonly end: RunEnd; readonly distance: number; readonly steps: number }[];
}

/** Plain arrays and numbers: one entry for each restart that has begun. */
export type AttackState = readonly RunState[];

/** An optimisation attack under way. Steps are deterministic; one that goes on from a state gives the same bits. */
export interface Attack {
  readonly progress: AttackProgress;
  /** One outer step of L-BFGS, or at most `most` updates of Adam. */
  advance(most?: number): Promise<void>;
  /** undefined until it is done. */
  readonly outcome: AttackOutcome | undefined;
  capture(): AttackState;
  close(): Promise<void>;
}

/**
 * Opens an attack on what `victim` shared. Restarts go one after the other, or side by side where the prior `group` is on.
 * @throws DATA_UNSUITABLE for a gradient that vanished, PARAM_INVALID, OP_NO_GRADIENT
 */
export async function openAttack(
  victim: Victim,
  shared: SharedGradients,
  asked: AttackSettings,
  session: SessionOptions,
  resume: AttackState = [],
): Promise<Attack> {
  const isGroup = (asked.priors?.group ?? 0) > 0 && asked.restarts > 1;
  // One restart has nobody to agree with.
  const settings = isGroup ? asked : { ...asked, priors: { ...asked.priors, group: 0 } };
  refuseVanished(shared);
  checkSettings(victim, shared, settings);
  const { restarts, groupEvery = 10, registration = 'affine' } = settings;
  const runs: AttackRun[] = [];
  const mean = (): Float32Array<ArrayBuffer> =>
    groupMean(
      runs.map(({ progress }) => progress.pixels),
      victim.shape,
      registration,
    );
  const starter = await openStarter(victim, shared, settings, session, mean);
  for (const state of resume) runs.push(starter.start(runs.length, state));
  if (runs.length === 0) for (let i = 0; i < (isGroup ? restarts : 1); i++) runs.push(starter.start(i));
  const isOpen = (run: AttackRun): boolean => run.progress.end === undefined;
  const isDone = (): boolean => runs.length === restarts && !runs.some(isOpen);
  /** Of a group the one that is furthest behind. */
  const current = (): number => {
    const open = runs.flatMap((run, i) => (isOpen(run) ? [i] : []));
    const stepOf = (i: number): number => runs[i]?.progress.step ?? 0;
    return open.reduce((least, i) => (stepOf(i) < stepOf(least) ? i : least), open[0] ?? runs.length - 1);
  };
  const evaluations = (): number => runs.reduce((sum, { progress }) => sum + progress.evaluations, 0);
  const toImages = (pixels: Float32Array<ArrayBuffer>): FloatTensor => imagesOf(victim, settings, pixels);
  const toLabels = (logits: Float32Array | undefined): readonly number[] => labelsOf(victim, settings, logits);
  return {
    get progress() {
      const restart = current();
      const run = runs[restart];
      invariant(run, 'an attack has a restart');
      const { distance, total, pixels, labelLogits } = run.progress;
      return {
        restart,
        step: runs.reduce((sum, { progress: { step, end } }) => sum + (end ? settings.steps : step), 0),
        totalSteps: settings.steps * restarts,
        distance,
        total,
        evaluations: evaluations(),
        images: toImages(pixels),
        labels: toLabels(labelLogits),
        isDone: isDone(),
      };
    },
    async advance(most = 1) {
      if (isDone()) return;
      if (!runs.some(isOpen)) runs.push(starter.start(runs.length));
      const run = runs[current()];
      invariant(run, 'an attack has a restart');
      const { step } = run.progress;
      // A group looks at itself at fixed steps, so that results do not depend on how the steps are cut.
      await run.advance(isGroup ? groupEvery - (step % groupEvery) : most);
    },
    get outcome() {
      if (!isDone()) return undefined;
      const all = runs.map(({ progress }) => progress);
      const scores = all.map((progress) => resultOf(progress, settings).distance);
      const restart = scores.reduce((least, score, i) => (score < (scores[least] ?? Infinity) ? i : least), 0);
      const chosen = all[restart];
      invariant(chosen, 'an attack has a restart');
      const result = resultOf(chosen, settings);
      return {
        images: toImages(result.pixels),
        labels: toLabels(result.labelLogits),
        distance: result.distance,
        restart,
        evaluations: evaluations(),
        restarts: all.map(({ end, best, step }) => ({
          end: end ?? 'finished',
          distance: best?.distance ?? Infinity,
          steps: step,
        })),
      };
    },
    capture: () => runs.map((run) => run.capture()),
    close: () => starter.close(),
  };
}

/** The iterate that a restart hands over; after a divergence the best one in any case. */
function resultOf({ best, end, distance, pixels, labelLogits }: RunProgress, { keep }: AttackSettings): RunBest {
  const last = { distance: Number.isFinite(distance) ? distance : Infinity, pixels, labelLogits };
  return (keep === 'best' || end === 'diverged') && best ? best : last;
}

interface Starter {
  start(restart: number, state?: RunState): AttackRun;
  close(): Promise<void>;
}

async function openStarter(
  victim: Victim,
  shared: SharedGradients,
  settings: AttackSettings,
  session: SessionOptions,
  mean: () => Float32Array<ArrayBuffer>,
): Promise<Starter> {
  const { optimiser, batchSize, seed, labels, start, space, isBoxed } = settings;
  const dims = [batchSize, ...victim.shape];
  const guess = (restart: number) => ({
    pixels: startPixels({ kind: start, dims, seed, restart, mean: settings.mean }),
    labelLogits: labels === 'joint' ? startLabelLogits(batchSize * victim.classes, seed, restart) : undefined,
  });
  if (optimiser === 'lbfgs' || optimiser === 'lbfgs-wolfe') {
    const objective = await openObjective(victim, shared, settings, session);
    const { low, high } = boundsOf(space);
    const plane = sizeOf(victim.shape.slice(1));
    const box = (pixels: Float64Array): void => {
      for (let i = 0; i < pixels.length; i++) {
        const channel = low.length === 1 ? 0 : Math.floor(i / plane) % low.length;
        pixels[i] = Math.min(Math.max(pixels[i] ?? 0, low[channel] ?? 0), high[channel] ?? 1);
      }
    };
    return {
      start: (restart, state) =>
        createLbfgsRun(objective, settings, state ?? guess(restart), isBoxed ? box : undefined),
      close: () => objective.close(),
    };
  }
  const attack = await openAdamAttack(victim, shared, settings, session);
  return {
    start: (restart, state) => attack.start(state ?? guess(restart), restart, mean),
    close: () => attack.close(),
  };
}

function checkSettings(victim: Victim, shared: SharedGradients, settings: AttackSettings): void {
  const { labels, batchSize, steps, restarts, optimiser, priors = {}, local } = settings;
  const reasons: string[] = [];
  if (labels !== 'joint' && labels.length !== batchSize) {
    reasons.push(`expected ${batchSize} labels, got ${labels.length}`);
  }
  if (labels !== 'joint' && labels.some((label) => !Number.isInteger(label) || label < 0 || label >= victim.classes)) {
    reasons.push(`expected labels from 0 to ${victim.classes - 1}, got ${labels.join(', ')}`);
  }
  if (steps < 1 || restarts < 1) reasons.push(`expected at least 1 step and 1 restart, got ${steps} and ${restarts}`);
  if (optimiser.startsWith('lbfgs') && (priors.group ?? 0) > 0) {
    reasons.push('the prior of a group of restarts needs one of the Adam optimisers');
  }
  if ((shared.kind === 'update') !== (local !== undefined)) {
    reasons.push(
      `the client shared ${shared.kind === 'update' ? 'an update' : 'a gradient'}, the attack assumes the other`,
    );
  }
  if (reasons.length === 0) return;
  throw new WorkbenchError('PARAM_INVALID', `This attack on ${victim.title} cannot be made: ${reasons.join('; ')}`, {
    details: { reasons },
  });
}

function imagesOf(
  victim: Victim,
  { batchSize, space }: AttackSettings,
  pixels: Float32Array<ArrayBuffer>,
): FloatTensor {
  const dims = [batchSize, ...victim.shape];
  if (!space) return float32(dims, pixels);
  const plane = sizeOf(victim.shape.slice(1));
  const channelOf = (i: number): number => Math.floor(i / plane) % space.mean.length;
  return float32(
    dims,
    pixels.map((value, i) => value * (space.std[channelOf(i)] ?? 1) + (space.mean[channelOf(i)] ?? 0)),
  );
}

function labelsOf(
  { classes }: Victim,
  { labels }: AttackSettings,
  logits: Float32Array | undefined,
): readonly number[] {
  if (labels !== 'joint') return labels;
  return logits ? [...argmaxRows(logits, classes)] : [];
}
