import { WorkbenchError } from '../base/errors.ts';
import { meanSquaredError } from '../metrics/images.ts';

/** The gradient of a linear layer z = W x + b: ∂W [M, F] row-major and ∂b [M]. */
export interface LinearGradient {
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

/**
 * A1: what entered a linear layer with bias, when one image made the gradient. ∂W_i = u_i x and ∂b_i = u_i, so
 * x̂ = Σ_i ∂b_i ∂W_i / Σ_i ∂b_i²: exact without noise, least squares with it. [F]; undefined when ∂b vanished.
 */
export function linearInput({ weight, bias }: LinearGradient): Float64Array<ArrayBuffer> | undefined {
  const size = featureCount({ weight, bias });
  const sum = new Float64Array(size);
  let squares = 0;
  for (let i = 0; i < bias.length; i++) {
    const own = bias[i]!;
    squares += own * own;
    if (own !== 0) for (let f = 0; f < size; f++) sum[f]! += own * weight[i * size + f]!;
  }
  return squares === 0 ? undefined : sum.map((value) => value / squares);
}

export interface ScanOptions {
  /** Smallest and largest value that an input of the layer can have. */
  readonly box: readonly [number, number];
  /** How far outside it a value may lie; also the root mean square below which two candidates are the same. */
  readonly tolerance: number;
}

/** Rows of a layer that tell the same input. */
export interface Candidate {
  /** [F]. */
  readonly input: Float64Array<ArrayBuffer>;
  /** Rows, or pairs of neighbours, that gave it. */
  readonly support: number;
}

/** Rows whose error is this much smaller than the largest one say rounding only. */
const faintest = 1e-6;

/**
 * A2: a unit that only one image of the batch makes active gives that image, ∂W_i / ∂b_i. Keeps the quotients inside the
 * box, joins equal ones, and puts those first that most rows agree on: a mixture of images is seldom made twice.
 */
export function scanRows(gradient: LinearGradient, options: ScanOptions): readonly Candidate[] {
  const size = featureCount(gradient);
  const { weight, bias } = gradient;
  const rows = Array.from({ length: bias.length }, (_, i) => ({
    divisor: bias[i]!,
    value: (f: number): number => weight[i * size + f]!,
  }));
  return gather(rows, size, options);
}

/**
 * A3: differences of neighbouring rows of an imprinted layer (Fowl et al. 2022), whose units count the images above rising
 * thresholds: a bin that holds one image gives it back. The last row stands for the last bin.
 */
export function binInputs(gradient: LinearGradient, options: ScanOptions): readonly Candidate[] {
  const size = featureCount(gradient);
  const { weight, bias } = gradient;
  const at = (i: number, f: number): number => (i < bias.length ? weight[i * size + f]! : 0);
  const bins = Array.from({ length: bias.length }, (_, i) => ({
    divisor: bias[i]! - (i + 1 < bias.length ? bias[i + 1]! : 0),
    value: (f: number): number => at(i, f) - at(i + 1, f),
  }));
  return gather(bins, size, options);
}

interface Quotient {
  readonly divisor: number;
  value(f: number): number;
}

function gather(quotients: readonly Quotient[], size: number, { box, tolerance }: ScanOptions): readonly Candidate[] {
  const largest = quotients.reduce((most, { divisor }) => Math.max(most, Math.abs(divisor)), 0);
  const clusters: {
    sum: Float64Array<ArrayBuffer>;
    squares: number;
    input: Float64Array<ArrayBuffer>;
    support: number;
  }[] = [];
  for (const { divisor, value } of quotients) {
    if (largest === 0 || Math.abs(divisor) < faintest * largest) continue;
    const input = Float64Array.from({ length: size }, (_, f) => value(f) / divisor);
    if (!input.every((v) => v >= box[0] - tolerance && v <= box[1] + tolerance)) continue;
    let cluster = clusters.find((other) => meanSquaredError(other.input, input) <= tolerance * tolerance);
    if (!cluster) {
      cluster = { sum: new Float64Array(size), squares: 0, input, support: 0 };
      clusters.push(cluster);
    }
    // Least squares over the rows of the cluster: the rows with a large error count most.
    cluster.squares += divisor * divisor;
    cluster.support++;
    for (let f = 0; f < size; f++) cluster.sum[f]! += divisor * value(f);
    const { sum, squares } = cluster;
    cluster.input = sum.map((v) => v / squares);
  }
  return clusters
    .toSorted((a, b) => b.support - a.support || b.squares - a.squares)
    .map(({ input, support }) => ({ input, support }));
}

function featureCount({ weight, bias }: LinearGradient): number {
  const size = weight.length / bias.length;
  if (Number.isInteger(size) && size > 0) return size;
  throw new WorkbenchError(
    'SHAPE_MISMATCH',
    `Analytic recovery: expected a weight gradient of ${bias.length} equal rows, got ${weight.length} numbers`,
  );
}

/** Images that stand alone in their bin, in the mean, when k bins are equally likely: B (1 − 1/k)^(B − 1). */
export const expectedAlone = (batchSize: number, bins: number): number => batchSize * (1 - 1 / bins) ** (batchSize - 1);
