import { recoverLabels, type LabelRule, type RecoveredLabels } from '../../leakage/labels.ts';
import { labelEvidence, type EvidenceOptions } from '../../leakage/labels-evidence.ts';
import { presetSettings, type PresetId } from '../../leakage/attack-presets.ts';
import type { AttackSettings } from '../../leakage/attack-settings.ts';
import type { Defence } from '../../leakage/defence.ts';
import type { PixelSpace } from '../../leakage/objective.ts';
import type { SharedGradients } from '../../leakage/victim-gradient.ts';
import type { Victim } from '../../leakage/victim.ts';
import { isFresh, localTraining, type Params, type Pictures } from './inputs.ts';
import { readDefence } from './spec-defences.ts';

/** The defences of a run, none first. */
export function defencesOf({ defences }: Params): readonly Defence[] {
  return [{ kind: 'none' }, ...defences.flatMap((text): Defence[] => [toDefence(text)])];
}

function toDefence(text: string): Defence {
  const read = readDefence(text);
  // The schema has refused anything else.
  if (typeof read === 'string') return { kind: 'none' };
  const [first = 0, second = 0] = read.numbers;
  switch (read.name) {
    case 'gaussian':
    case 'laplace':
      return { kind: read.name, variance: first };
    case 'clip':
      return { kind: 'clip', norm: first };
    case 'prune':
      return { kind: 'prune', fraction: first, scope: 'tensor' };
    case 'prune-global':
      return { kind: 'prune', fraction: first, scope: 'global' };
    case 'dp-sgd':
      return { kind: 'dp-sgd', norm: first, multiplier: second };
    default:
      return { kind: read.name };
  }
}

/** Mean and deviation of the public images, by channel, and their mean image. */
export interface PublicFigures {
  readonly space: PixelSpace;
  readonly mean: Float32Array<ArrayBuffer>;
}

export function publicFigures({ images, count }: Pictures, shape: readonly [number, number, number]): PublicFigures {
  const [channels, height, width] = shape;
  const plane = height * width;
  const mean = new Float64Array(channels * plane);
  for (let i = 0; i < images.length; i++) mean[i % mean.length]! += images[i]! / count;
  const byChannel = (term: (value: number, channel: number) => number): number[] => {
    const sums = new Array<number>(channels).fill(0);
    for (let i = 0; i < images.length; i++) {
      const channel = Math.floor((i % mean.length) / plane);
      sums[channel]! += term(images[i]!, channel);
    }
    return sums.map((sum) => sum / (count * plane));
  };
  const means = byChannel((value) => value);
  const deviations = byChannel((value, channel) => (value - means[channel]!) ** 2).map((v) => Math.sqrt(v) || 1);
  return { space: { mean: means, std: deviations }, mean: Float32Array.from(mean) };
}

/** Settings of the attack on one gradient, before any defence is known. `labels` as recovered; ignored by joint attacks. */
export function attackSettings(
  params: Params,
  attack: PresetId,
  labels: readonly number[] | 'joint',
  seed: number,
  figures: PublicFigures | undefined,
): AttackSettings {
  const { batchSize } = params;
  const known = labels === 'joint' ? [] : labels;
  const base = presetSettings(attack, { batchSize, labels: known, seed });
  const usesSpace = params.space === 'attack' ? attack !== 'dlg' && attack !== 'idlg' : params.space === 'normalised';
  const local = localTraining(params);
  const isByAdam = !(params.optimiser === 'attack' ? base.optimiser : params.optimiser).startsWith('lbfgs');
  const priors = {
    ...base.priors,
    ...(params.totalVariation === null ? {} : { totalVariation: params.totalVariation }),
    ...(params.batchNormPrior === null ? {} : { batchNorm: params.batchNormPrior }),
    ...(params.groupPrior !== null ? { group: params.groupPrior } : isByAdam ? {} : { group: 0 }),
  };
  const space = usesSpace && figures ? { space: figures.space } : {};
  return {
    ...base,
    labels,
    ...space,
    ...(local ? { local } : {}),
    distance: {
      ...base.distance,
      ...(params.distance === 'attack' ? {} : { kind: params.distance }),
      layerWeights: params.layerWeights,
    },
    priors,
    ...(params.optimiser === 'attack' ? {} : { optimiser: params.optimiser }),
    ...(params.learningRate === null ? {} : { learningRate: params.learningRate }),
    ...(params.start === 'attack' ? {} : { start: params.start }),
    ...(figures ? { mean: meanIn(figures, usesSpace) } : {}),
    ...(params.box === 'attack' ? {} : { isBoxed: params.box === 'on' }),
    ...(params.stopBelow === null ? {} : { stopBelow: params.stopBelow }),
    stopEvery: params.stopEvery,
    registration: params.registration,
    steps: params.steps,
    restarts: params.restarts,
  };
}

function meanIn({ mean, space }: PublicFigures, isNormalised: boolean): Float32Array<ArrayBuffer> {
  if (!isNormalised) return mean;
  const plane = mean.length / space.mean.length;
  return mean.map((value, i) => {
    const channel = Math.floor(i / plane);
    return (value - (space.mean[channel] ?? 0)) / (space.std[channel] ?? 1);
  });
}

/**
 * Squared distances of a small gradient lie below every threshold of L-BFGS from the start: they are taken relative to its
 * squared norm then, unless `relative` is off, as in the published code. Larger ones stay as they are.
 */
export function scaledToNorm(
  settings: AttackSettings,
  norm: number,
  { relative }: Pick<Params, 'relative'>,
): AttackSettings {
  if (!relative || settings.distance.kind !== 'l2' || norm >= 1 || norm === 0) return settings;
  return { ...settings, scale: (settings.scale ?? 1) / (norm * norm) };
}

export interface LabelsForAttack {
  readonly labels: readonly number[] | 'joint';
  readonly rule: LabelRule | 'known' | 'joint';
  readonly notes: readonly string[];
}

/**
 * The labels that an attack goes on with: known, recovered by the rule asked for, or by the best rule for the batch. What no
 * rule can say is left to the attack (joint).
 */
export function labelsForAttack(
  params: Params,
  victim: Victim,
  shared: SharedGradients,
  truth: readonly number[] | undefined,
  options: EvidenceOptions,
): LabelsForAttack {
  const { labelSource, attack } = params;
  if (labelSource === 'known' && truth) return { labels: truth, rule: 'known', notes: [] };
  if (labelSource === 'joint' || (labelSource === 'attack' && attack === 'dlg')) return joint([]);
  if (!victim.head) return joint(['The network does not end in a linear layer: labels are guessed with the image.']);
  const evidence = labelEvidence(victim, shared, options);
  const single: readonly LabelRule[] = victim.head.bias === undefined ? ['L1-sign', 'L1'] : ['L2', 'L1'];
  // Of trained networks the mean softmax on other images says little about that of the batch.
  const withBias: readonly LabelRule[] = isFresh(params) ? ['L6', 'L5', 'L4'] : ['L4', 'L5', 'L6'];
  const several: readonly LabelRule[] = victim.head.bias === undefined ? ['L4', 'L3'] : withBias;
  const wanted: readonly LabelRule[] =
    labelSource === 'attack' || labelSource === 'known' ? (options.batchSize === 1 ? single : several) : [labelSource];
  const tried: RecoveredLabels[] = [];
  for (const rule of wanted) {
    const found = recoverLabels(rule, evidence);
    if (found.labels) return { labels: found.labels, rule, notes: found.notes };
    tried.push(found);
  }
  return joint(tried.flatMap(({ rule, notes }) => notes.map((note) => `${rule}: ${note}`)));
}

const joint = (notes: readonly string[]): LabelsForAttack => ({ labels: 'joint', rule: 'joint', notes });
