import type { Check, Preflight } from '../../contract/preflight.ts';
import { toWorkbenchError, WorkbenchError } from '../../base/errors.ts';
import { gradientNorm, type Defence } from '../../leakage/defence.ts';
import { openAttack } from '../../leakage/attack.ts';
import type { Victim } from '../../leakage/victim.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { unitsOf, unitSteps, presetOf, type UnitWork } from './attack-unit.ts';
import { batchItems, isFresh, take, victimOf } from './inputs.ts';
import type { PreflightData } from './report-data.ts';
import { attackSettings, scaledToNorm } from './settings.ts';
import { weightsOf } from './sharing.ts';

/** Below it a gradient is rounding. */
const vanishedBelow = 1e-12;
/** Of the loss: the network is sure of the image already. */
const smallLoss = 1e-3;
const looked = 30;

/** What is refused before anything is computed. */
export function refuseUnsuitable(victim: Victim, defences: readonly Defence[]): void {
  if (
    !defences.some(({ kind }) => kind === 'dp-sgd' || kind === 'clip') ||
    !victim.hasBatchNorm ||
    victim.batchNorm === 'eval'
  )
    return;
  throw new WorkbenchError(
    'MODEL_UNSUITABLE',
    `${victim.title} normalises by the statistics of its batch: there is no gradient of one example to clip`,
    { hint: 'Use batch norm in eval mode, a network without batch norm, or another defence.' },
  );
}

/** Measures gradients of the run's batches, and says what can be expected of an attack on them. */
export async function preflight(
  work: UnitWork,
  defences: readonly Defence[],
  isFile: boolean,
  session: SessionOptions,
  lanes: number,
): Promise<PreflightData & Pick<Preflight, 'checks'>> {
  const { params, inputs, sharing, given } = work;
  const norms: number[] = [];
  const losses: number[] = [];
  const measured = given ? 0 : Math.min(params.runs, looked);
  for (let run = 0; run < measured; run++) {
    const victim = victimOf(inputs.model, params, run);
    const items = batchItems(inputs.own.labels, params.labelChoice, params.batchSize, run, params.seed);
    const { images, labels } = take(inputs.own, items, victim.shape);
    const { shared, loss } = await sharing.share(images, labels, weightsOf(victim));
    norms.push(gradientNorm(shared.tensors));
    losses.push(loss);
  }
  if (given) norms.push(gradientNorm(given.tensors));
  const victim = victimOf(inputs.model, params, 0);
  const speed =
    params.attack === 'none' || norms.every((norm) => norm < vanishedBelow)
      ? undefined
      : await measureSpeed(work, victim, session);
  const units = unitsOf(params, defences);
  const most = units.reduce((sum, unit) => sum + unitSteps(work, unit), 0);
  const vanished = norms.filter((norm) => !(norm >= vanishedBelow)).length;
  const refused: Check[] = speed?.problem
    ? [{ isGood: false, finding: speed.problem, measured: '', threshold: '', advice: '' }]
    : [];
  const checks = [...checksOf(work, victim, isFile, norms, losses), ...refused];
  return {
    title: victim.title,
    facts: factsOf(work, victim, isFile),
    checks,
    warnings: checks.filter(({ isGood }) => !isGood).map(({ finding }) => finding),
    norms,
    losses,
    vanished,
    evaluationMs: speed?.ms ?? null,
    // About half of the evaluations that are allowed are made: attacks that succeed stop early.
    likelyMs: speed?.ms === undefined ? null : (speed.ms * most * 0.6) / lanes,
  };
}

async function measureSpeed(
  { params, inputs, sharing, figures, now, given }: UnitWork,
  victim: Victim,
  session: SessionOptions,
): Promise<{ ms?: number; problem?: string }> {
  const labels = new Array<number>(params.batchSize).fill(0);
  const asked = attackSettings(params, presetOf(params), labels, params.seed, figures);
  const isLbfgs = asked.optimiser.startsWith('lbfgs');
  const items = batchItems(inputs.own.labels, params.labelChoice, params.batchSize, 0, params.seed);
  const { images, labels: truth } = take(inputs.own, items, victim.shape);
  const shared = given ?? (await sharing.share(images, truth, weightsOf(victim))).shared;
  const settings = { ...scaledToNorm(asked, gradientNorm(shared.tensors), params), stopBelow: 0 };
  try {
    const attack = await openAttack(
      victim,
      shared,
      { ...settings, steps: Math.max(settings.steps, 8), restarts: 1 },
      session,
    );
    await attack.advance(1);
    const before = attack.progress.evaluations;
    const startedAt = now();
    await attack.advance(isLbfgs ? 1 : 5);
    const made = Math.max(1, attack.progress.evaluations - before);
    const ms = (now() - startedAt) / made;
    await attack.close();
    return { ms };
  } catch (thrown) {
    const { code, message } = toWorkbenchError(thrown);
    if (code !== 'DATA_UNSUITABLE') throw thrown;
    return { problem: message };
  }
}

function factsOf({ params, inputs }: UnitWork, victim: Victim, isFile: boolean): [string, string][] {
  const parameters = victim.parameters.reduce((sum, { initial }) => sum + initial.data.length, 0);
  const weights = {
    'as-given': isFile ? 'of the file' : 'as the architecture is initialised',
    uniform: `fresh, from U(−${params.initBound}, ${params.initBound})`,
    'torch-default': 'fresh, by PyTorch’s rule',
  }[params.weights];
  return [
    [
      'Network',
      `${victim.title}: ${victim.shape.join(' × ')}, ${victim.classes} classes, ${parameters.toLocaleString('en-US')} parameters`,
    ],
    ['Weights', params.trainEpochs > 0 ? `${weights}, then ${params.trainEpochs} epochs of training` : weights],
    [
      'Last layer',
      victim.head
        ? `linear, ${victim.head.bias === undefined ? 'without' : 'with'} bias`
        : 'not linear: labels cannot be read off it',
    ],
    ['Batch', `${params.batchSize} of ${params.gradientFile === '' ? inputs.own.title : 'the gradient’s file'}`],
    ['Shared', params.localSteps > 0 ? `the update of ${params.localSteps} local steps` : 'one gradient'],
    ['Loss', 'cross-entropy, mean over the batch, no label smoothing'],
  ];
}

/** What keeps attacks from doing as published, with the figures behind it. */
function checksOf(
  { params, figures }: UnitWork,
  victim: Victim,
  isFile: boolean,
  norms: readonly number[],
  losses: readonly number[],
): Check[] {
  const ops = new Set(victim.graph.nodes.map(({ op }) => op));
  const count = norms.length;
  const vanished = norms.filter((norm) => !(norm >= vanishedBelow)).length;
  const sure = losses.filter((loss) => loss < smallLoss).length;
  const small = norms.filter((norm) => norm >= vanishedBelow && norm < 1).length;
  const isL2 = attackSettings(params, presetOf(params), 'joint', 0, figures).distance.kind === 'l2';
  const isPublished = params.attack === 'dlg' || params.attack === 'idlg';
  const normText = `norms ${rangeOf(norms)}`;
  const warn = (holds: boolean, finding: string, measured: string, threshold: string, advice: string): Check[] =>
    holds ? [{ isGood: false, finding, measured, threshold, advice }] : [];
  const found = [
    ...warn(
      vanished > 0,
      `${vanished} of ${count} gradients vanished (norm below ${vanishedBelow}): nothing can be read from them, and nothing is guessed.`,
      normText,
      `a norm below ${vanishedBelow}`,
      'Take images that the network is not sure of, or an untrained network.',
    ),
    ...warn(
      sure > 0 && sure > vanished,
      `The network is sure of ${sure} of ${count} images (loss below ${smallLoss}): their gradients are faint, and published recoveries cannot be expected of them.`,
      `losses ${rangeOf(losses)}`,
      `a loss below ${smallLoss}`,
      'Choose images that it answers wrongly, or fewer epochs of training.',
    ),
    ...warn(
      small > 0 && isL2,
      `${small} of ${count} gradients have a norm below 1: ${params.relative ? 'their distances are taken relative to the squared norm, without which the published thresholds end attacks early.' : 'the published thresholds may end attacks on them early.'}`,
      normText,
      'a norm below 1',
      params.relative ? '' : 'Take distances relative to the norm, or the cosine distance.',
    ),
    ...warn(
      !isFresh(params) && (isFile || params.trainEpochs > 0),
      'The weights are trained, or taken to be as they come from a file. Published recoveries of images (DLG 76 %, iDLG 89 % on MNIST) are for untrained networks; expect several dB less. Labels leak all the same.',
      normText,
      'any training; the papers’ norms lie above 1',
      'To see what the papers saw, draw the weights anew: uniform.',
    ),
    ...warn(
      victim.hasBatchNorm && victim.batchNorm === 'train',
      'Batch norm is in training mode: images of a batch mix in its statistics, which the attacker has to guess. Published attacks used eval mode.',
      '',
      'any batch norm in training mode',
      'Switch batch norm to eval, unless the participant trains otherwise.',
    ),
    ...warn(
      ops.has('Relu') && ops.has('MaxPool') && (isPublished || params.attack === 'wei'),
      'ReLU and max pooling leave the second derivative without slope in most places: DLG and iDLG, made for sigmoids, mostly fail. Inverting Gradients does better.',
      'ReLU and MaxPool in the graph',
      'both present',
      'Choose inverting-gradients, or swap the activation to see the papers’ case.',
    ),
    ...warn(
      ops.has('Relu') && !ops.has('MaxPool') && isPublished,
      'DLG and iDLG were published for sigmoids; with ReLU they are known to fail often.',
      'ReLU in the graph',
      'any ReLU',
      'Choose inverting-gradients, or swap the activation.',
    ),
    ...warn(
      params.batchSize > 8,
      `A batch of ${params.batchSize} is large: published recoveries of whole batches stop near 8 for DLG; counts of labels are still recovered.`,
      `${params.batchSize} images`,
      'more than 8',
      'Attack batches of up to 8 to see what is possible at best.',
    ),
    ...warn(
      params.batchSize > victim.classes,
      `The batch is larger than the ${victim.classes} classes: labels are repeated, which L3 cannot say, and images of one class come out mixed.`,
      `${params.batchSize} images`,
      `more than ${victim.classes}`,
      'Choose rule L4, L6 or L7 for the labels.',
    ),
    ...warn(
      params.labelChoice === 'repeated' && params.batchSize > 1,
      'All images of a batch have one label: they are known to come out mixed.',
      '',
      'one label in a batch',
      'Take labels as they come, or all different.',
    ),
    ...warn(
      figures === undefined && !isPublished && params.attack !== 'none' && params.space !== 'pixels',
      'Without public images the attack moves in pixels, not in the space of normalised images that it was published for.',
      '',
      'no public images',
      'Give public images of the kind that the participant has.',
    ),
    ...warn(
      params.gradientFile !== '',
      'The gradient comes from a file: it must be of the mean cross-entropy, without label smoothing, weight decay or class weights, of which few can be seen in it. Recovery cannot be scored.',
      normText,
      'any file',
      '',
    ),
    ...warn(
      victim.head === undefined,
      'The network does not end in a linear layer: labels have to be guessed with the images.',
      '',
      'no linear layer at the end',
      '',
    ),
  ];
  if (count === 0 || vanished > 0) return found;
  const finding = `No gradient of ${count} vanished.`;
  return [
    ...found,
    { isGood: true, finding, measured: normText, threshold: `a norm below ${vanishedBelow}`, advice: '' },
  ];
}

/** "0.02 to 3.1, median 0.4". */
function rangeOf(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    String(Number((sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toPrecision(2)));
  return `${at(0)} to ${at(1)}, median ${at(0.5)}`;
}
