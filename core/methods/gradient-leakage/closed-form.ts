import { sizeOf, type FloatTensor } from '../../base/tensor.ts';
import type { Chain } from '../../leakage/analytic-chain.ts';
import { designImprint, imprintedInput, imprintNames, withImprint } from '../../leakage/analytic-imprint.ts';
import { recoverRecursively } from '../../leakage/analytic-recursion.ts';
import { binInputs, expectedAlone, linearInput, scanRows, type Candidate } from '../../leakage/analytic.ts';
import { defend, needsExamples, type Defence } from '../../leakage/defence.ts';
import { meanSquaredError } from '../../metrics/images.ts';
import { openVictim, type Victim } from '../../leakage/victim.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { toWorkbenchError } from '../../base/errors.ts';
import { clipped } from '../../leakage/score.ts';
import { batchItems, take, victimOf, type Inputs, type Params } from './inputs.ts';
import { boxOf, candidateTolerance, chainOf, isLinearFirst, layerGradient, toPixels } from './closed-form-layer.ts';
import type { ClosedFormData } from './report-data.ts';
import { openSharing, weightsOf, type Sharing } from './sharing.ts';

type Row = ClosedFormData['rows'][number];

/** An image counts as exact below this MSE. */
const exactMse = 1e-6;

interface Work {
  readonly params: Params;
  readonly inputs: Inputs;
  readonly sharing: Sharing;
  readonly session: SessionOptions;
}

/** Recoveries without optimisation that the network permits. */
export async function closedForms(work: Work, defences: readonly Defence[]): Promise<ClosedFormData> {
  const { params, inputs } = work;
  const victim = victimOf(inputs.model, params, 0);
  const chain = chainOf(victim);
  const isLinear = isLinearFirst(chain);
  const rows: Row[] = [];
  if (params.closedForm && params.localSteps === 0) {
    for (const defence of defences) if (isLinear) rows.push(await firstLayer(work, chain, defence));
    if (isLinear && params.batchSize === 1) rows.push(await scanned(work, chain));
    rows.push(...(await recursion(work, chain)));
  }
  if (params.imprintBins > 0) rows.push(await imprint(work));
  return { rows };
}

async function firstLayer({ params, inputs, sharing }: Work, chain: Chain, defence: Defence): Promise<Row> {
  const scores: number[] = [];
  for (let run = 0; run < params.runs; run++) {
    const victim = victimOf(inputs.model, params, run);
    const { images, labels } = take(inputs.own, [run % inputs.own.count], victim.shape);
    const { shared } = await sharing.share(images, labels, weightsOf(victim));
    const tensors = defend([shared.tensors], defence, params.seed, run);
    const found = linearInput(layerGradient(chain, { ...shared, tensors }));
    scores.push(found ? meanSquaredError(images.data, clipped(toPixels(chain, found))) : Number.NaN);
  }
  const note =
    defence.kind === 'none'
      ? ''
      : `under ${defence.kind}${needsExamples(defence) ? ', which A1 does not notice without noise' : ''}`;
  return row('A1: quotient of the first linear layer', 1, scores, 'all', note);
}

async function scanned({ params, inputs, sharing }: Work, chain: Chain): Promise<Row> {
  const batchSize = 4;
  const batches = Math.max(1, Math.min(10, Math.floor(params.runs / 2)));
  const scores: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const victim = victimOf(inputs.model, params, batch);
    const { images, labels } = take(
      inputs.own,
      batchItems(inputs.own.labels, 'random', batchSize, batch, params.seed),
      victim.shape,
    );
    const { shared } = await sharing.share(images, labels, weightsOf(victim));
    const found = scanRows(layerGradient(chain, shared), { box: boxOf(chain), tolerance: candidateTolerance });
    scores.push(
      ...nearest(
        images,
        found.map(({ input }) => ({ input: toPixels(chain, input) })),
      ),
    );
  }
  return row(
    'A2: rows that one image alone makes active',
    batchSize,
    scores,
    '0 to 2 of 4',
    'the nearest of all candidates is scored',
  );
}

async function recursion({ params, inputs, sharing }: Work, chain: Chain): Promise<Row[]> {
  if (chain.stopped !== undefined || chain.layers.length < 2) return [];
  const scores: number[] = [];
  let note = '';
  for (let run = 0; run < Math.min(params.runs, 10); run++) {
    const victim = victimOf(inputs.model, params, run);
    const { images, labels } = take(inputs.own, [run % inputs.own.count], victim.shape);
    const { shared } = await sharing.share(images, labels, weightsOf(victim));
    const weights = Object.fromEntries(Object.entries(weightsOf(victim)).map(([name, { data }]) => [name, data]));
    try {
      const { image, notes } = recoverRecursively(chain, weights, shared.tensors);
      note ||= notes[0] ?? '';
      scores.push(meanSquaredError(images.data, clipped(image)));
    } catch (thrown) {
      const { code, message } = toWorkbenchError(thrown);
      if (code !== 'MODEL_UNSUITABLE') throw thrown;
      return [row('A4: layer by layer', 1, [], '', message)];
    }
  }
  return [row('A4: layer by layer', 1, scores, 'all, where no activation saturates', note)];
}

/** A layer that a malicious server puts in front of the network; thresholds from images that are not the participant's. */
async function imprint({ params, inputs, session }: Work): Promise<Row> {
  const { model, own, publics } = inputs;
  const { imprintBins: bins, imprintBatchSize: batchSize, imprintMeasurement: measurement, seed } = params;
  const size = sizeOf(model.shape);
  const layer = designImprint((publics ?? own).images, size, { measurement, bins, seed });
  const base = victimOf(model, params, 0);
  const graph = withImprint(base.graph, base.inputName, layer);
  const victim: Victim = openVictim({ ...model, graph, inputName: imprintedInput(base.inputName) });
  const sharing = openSharing(victim, session);
  const scores: number[] = [];
  try {
    for (let batch = 0; batch < 5; batch++) {
      const { images, labels } = take(own, batchItems(own.labels, 'random', batchSize, batch, seed), victim.shape);
      const { shared } = await sharing.share(images, labels, weightsOf(victim));
      const rows = {
        weight: shared.tensors[imprintNames.weight]?.data ?? [],
        bias: shared.tensors[imprintNames.bias]?.data ?? [],
      };
      const found = binInputs(rows, { box: [0, 1], tolerance: candidateTolerance });
      scores.push(...nearest(images, found));
    }
  } finally {
    await sharing.close();
  }
  const expected = `${expectedAlone(batchSize, bins).toFixed(1)} of ${batchSize}`;
  const note = publics ? '' : 'thresholds from the participant’s own images, as there are no public ones';
  return row(`A3: imprint of ${bins} bins (malicious server)`, batchSize, scores, expected, note);
}

/** MSE of each true image to the candidate nearest to it; NaN without candidates. */
function nearest(
  { data, dims }: FloatTensor,
  found: readonly Pick<Candidate, 'input'>[] | readonly { readonly input: Float32Array }[],
): number[] {
  const size = sizeOf(dims.slice(1));
  return Array.from({ length: data.length / size }, (_, k) => {
    const truth = data.subarray(k * size, (k + 1) * size);
    const best = Math.min(...found.map(({ input }) => meanSquaredError(truth, clipped(input))));
    return Number.isFinite(best) ? best : Number.NaN;
  });
}

function row(way: string, batchSize: number, scores: readonly number[], expected: string, note: string): Row {
  const finite = scores.filter(Number.isFinite);
  return {
    way,
    batchSize,
    images: scores.length,
    exact: scores.filter((mse) => mse < exactMse).length,
    meanMse: finite.length === 0 ? null : finite.reduce((sum, mse) => sum + mse, 0) / finite.length,
    expected,
    note,
  };
}
