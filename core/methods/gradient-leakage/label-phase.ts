import { openVictim } from '../../leakage/victim.ts';
import type { Events } from '../events.ts';
import { isFresh, victimOf } from './inputs.ts';
import { labelCases, labelRow, type LabelNetwork } from './label-table.ts';
import { fractionOf } from './shares.ts';
import { openSharing } from './sharing.ts';
import { tradeoffVictim } from './tradeoff-phase.ts';
import { withWeights } from './training.ts';
import { checkpoint, type Work } from './work.ts';

/** Networks of the table: as attacked, and the other of fresh and trained where there is one. */
function networksOf(work: Work): readonly LabelNetwork[] {
  const { ctx, inputs, state } = work;
  const { params } = ctx;
  const isDrawn = isFresh(params) || (ctx.models['victim']?.kind === 'zoo' && params.trainEpochs === 0);
  const attacked: LabelNetwork = {
    title: isDrawn ? 'fresh' : 'trained',
    of: (batch) => victimOf(inputs.model, params, batch),
  };
  if (!isDrawn) {
    const fresh: LabelNetwork = {
      title: 'fresh',
      of: (batch) =>
        openVictim(inputs.model, {
          weights: { kind: 'torch-default', seed: params.seed + batch },
          batchNorm: params.batchNorm,
        }),
    };
    return [attacked, fresh];
  }
  const trained = state.trained.get('defence.0');
  if (!trained) return [attacked];
  const victim = withWeights(tradeoffVictim(work), trained.weights);
  return [attacked, { title: `after ${trained.step} training steps`, of: () => victim }];
}

/** Every rule of label recovery by batch size, kind of batch and kind of network. */
export async function* labelPhase(work: Work): Events<void> {
  const { ctx, inputs, state } = work;
  const { params, signal } = ctx;
  if (params.labelBatches === 0 || params.gradientFile !== '' || !work.victim.head) return;
  const cases = labelCases(params, inputs.model.classes);
  const jobs = networksOf(work).flatMap((network) => cases.map((each) => ({ network, each })));
  const sharing = openSharing(work.victim, work.session);
  try {
    for (const { network, each } of jobs.slice(state.labelRows.length)) {
      state.labelRows.push(await labelRow(network, each, { params, inputs, sharing }));
      const done = state.labelRows.length;
      const fraction = fractionOf(work, 'labels', done / jobs.length);
      yield { type: 'progress', phase: 'labels', step: done, totalSteps: jobs.length, fraction };
      yield { type: 'checkpoint', capture: () => checkpoint(work, 'labels') };
      signal.throwIfAborted();
    }
  } finally {
    await sharing.close();
  }
  const json = { batches: params.labelBatches, rows: [...state.labelRows] };
  yield { type: 'artifact', name: 'label-table', title: 'Labels recovered', content: { json } };
}
