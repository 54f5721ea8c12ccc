import { GraphBuilder } from '../autodiff/builder.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import { WorkbenchError } from '../base/errors.ts';
import { numericalRank } from './batch-rank.ts';
import type { LabelEvidence } from './labels.ts';
import type { SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';

/** What one shared gradient says of how many images are behind it, and of their loss. */
export interface BatchEvidence {
  /** At least so many images. */
  readonly least: number;
  /** How many there seem to be; undefined where it cannot be told. */
  readonly estimate: number | undefined;
  /** Where both come from, in sentences. */
  readonly notes: readonly string[];
  /** Signs that the gradient is not that of a mean cross-entropy with hard labels, unchanged. */
  readonly warnings: readonly string[];
}

/** Largest batch that whole counts are looked for in. */
const mostImages = 256;
/** How far rounding lies below what images add to a rank, at least; noise and lower precision leave no such gap. */
const clearGap = 30;
/** How far from a whole number a count may lie. */
const countTolerance = 0.17;
/** With few classes whole counts may be an accident; above this chance nothing is said. */
const mostAccident = 0.05;

/**
 * Counts the images behind a gradient. Its rows at a linear layer are sums Σ_k δ_k a_kᵀ over the images, so the rank is at most
 * their number, and in general equal to it where the layer is larger. In the last bias each negative entry is a class
 * that is there, since ∂b_i = p̄_i − n_i/B; and n_i = B (p̄_i − ∂b_i) are whole numbers for the true B.
 * `precision`: relative rounding of the numbers, 2⁻²⁴ (single precision) when absent.
 * @throws DATA_UNSUITABLE where the loss was summed over the images, which no rule takes
 */
export function batchEvidence(
  victim: Victim,
  shared: SharedGradients,
  head: LabelEvidence | undefined,
  precision?: number,
): BatchEvidence {
  const notes: string[] = [];
  const { warnings, isClean, negative } = lossSigns(head, precision ?? 0);
  if (shared.kind === 'update') {
    notes.push('An update of several local steps mixes their gradients: how many images it took cannot be told.');
    return { least: 1, estimate: undefined, notes, warnings };
  }
  const ranks = linearLayers(victim).flatMap((name): Ranked[] => {
    const own = numericalRank(shared.tensors[name]?.data ?? [], shared.tensors[name]?.dims ?? [], precision);
    return own && own.gap >= clearGap ? [{ name, ...own, isHead: name === victim.head?.weight }] : [];
  });
  const headRank = ranks.find(({ isHead }) => isHead)?.rank;
  const isContradicted = isClean && headRank !== undefined && headRank < victim.classes - 1 && negative > headRank;
  if (isContradicted) {
    warnings.push(
      `${negative} entries of the last bias gradient are negative, but its layer shows ${headRank} ${headRank === 1 ? 'image' : 'classes'} only: label smoothing, soft labels, or another loss.`,
    );
  } else if (isClean && negative > 1) {
    notes.push(`${negative} classes have a negative bias gradient: each is in the batch.`);
  }
  const top = ranks.toSorted((a, b) => b.rank - a.rank)[0];
  if (top) notes.push(`The gradient of "${top.name}" has rank ${top.rank}: no fewer images made it.`);
  const least = Math.max(1, top?.rank ?? 1, isClean && !isContradicted ? negative : 1);
  // Deeper layers add up images of one class of which the network says nearly the same, so a rank may be too small.
  const isExact = ranks.some(({ rank, isHead }) => rank === least && (!isHead || rank === 1));
  if (isExact) {
    notes.push(`So there ${least === 1 ? 'is one image' : `are ${least} images, unless two of them are alike`}.`);
    return { least, estimate: least, notes, warnings };
  }
  const estimate = isClean && !isContradicted ? wholeCounts(head, least) : undefined;
  if (estimate !== undefined) notes.push(`The classes come to whole counts first with ${estimate} images.`);
  return { least, estimate, notes, warnings };
}

interface Ranked {
  readonly name: string;
  readonly rank: number;
  readonly isHead: boolean;
}

/** The sum rule and the sign rule of the last bias. */
function lossSigns(
  head: LabelEvidence | undefined,
  precision: number,
): { warnings: string[]; isClean: boolean; negative: number } {
  const bias = Array.from(head?.biasGradient ?? []);
  if (bias.length === 0) return { warnings: [], isClean: false, negative: 0 };
  const size = bias.reduce((sum, value) => sum + Math.abs(value), 0);
  const total = bias.reduce((sum, value) => sum + value, 0);
  const below = bias.reduce((sum, value) => sum + Math.min(0, value), 0);
  if (Math.abs(total) > Math.max(1e-4, 4 * precision) * size) {
    const text = `The entries of the last bias gradient sum to ${total.toPrecision(2)}, those of a cross-entropy to 0: another loss, weight decay, noise or another defence, or numbers of low precision.`;
    return { warnings: [text], isClean: false, negative: 0 };
  }
  if (below < -1.001) {
    throw new WorkbenchError(
      'DATA_UNSUITABLE',
      `The loss behind the gradient was summed, not averaged: negative entries of the last bias gradient sum to ${below.toPrecision(3)}, expected at least −1`,
      { hint: `Divide the gradient by the number of images, which is at least ${Math.ceil(-below)}.` },
    );
  }
  return { warnings: [], isClean: true, negative: bias.filter((value) => value < -1e-6 * size).length };
}

/** Weights of layers that see one row for each image. */
function linearLayers(victim: Victim): readonly string[] {
  const g = new GraphBuilder('', 'cpu');
  const images = g.input('images', 'float32', [2, ...victim.shape]);
  const { value } = inlineGraph(g, victim.graph, { inputs: { [victim.inputName]: images } });
  const known = new Set(victim.parameters.map(({ name }) => name));
  return victim.graph.nodes.flatMap(({ op, domain, inputs: [x = '', weight = ''] }) => {
    if ((op !== 'Gemm' && op !== 'MatMul') || domain !== '' || !known.has(weight)) return [];
    const { shape } = value(x);
    return shape.length === 2 && shape[0] === 2 ? [weight] : [];
  });
}

/** The smallest batch for which B (p̄ − ∂b) is nearly whole in every class, where that is no accident. */
function wholeCounts(head: LabelEvidence | undefined, least: number): number | undefined {
  const { biasGradient, meanProbabilities, classes } = head ?? {};
  if (!biasGradient || !meanProbabilities || classes === undefined) return undefined;
  const off = (count: number): number => {
    let worst = 0;
    for (let i = 0; i < classes; i++) {
      const wanted = count * ((meanProbabilities[i] ?? 0) - (biasGradient[i] ?? 0));
      worst = Math.max(worst, Math.abs(wanted - Math.round(wanted)), -wanted);
    }
    return worst;
  };
  for (let count = least; count <= mostImages; count++) {
    // Beside the true number counts are nearly whole, too.
    if (off(count) > countTolerance || off(count + 1) < off(count)) continue;
    // Chance that counts at random fit one of the batches tried as well.
    const accident = (count - least + 1) * (2 * off(count)) ** (classes - 1);
    return accident < mostAccident ? count : undefined;
  }
  return undefined;
}
