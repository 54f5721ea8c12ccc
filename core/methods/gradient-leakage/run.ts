import type { ResultMetrics } from '../../contract/run.ts';
import { noiseVariance, describeDefence } from '../../leakage/defence.ts';
import type { Run } from '../context.ts';
import type { Events } from '../events.ts';
import { attackPhase } from './attack-phase.ts';
import { closedFromFile } from './closed-form-file.ts';
import { closedForms } from './closed-form.ts';
import { labelPhase } from './label-phase.ts';
import { preflight, refuseUnsuitable } from './preflight.ts';
import { prepare } from './prepare.ts';
import type { spec } from './spec.ts';
import { tradeoffPhase } from './tradeoff-phase.ts';
import { said, type Work } from './work.ts';

/** What one shared gradient gives away: a look ahead, labels, closed forms, attacks, defences (gradient-leakage.md). */
export const run: Run<typeof spec> = async function* (ctx) {
  const opened: { close(): Promise<void> }[] = [];
  try {
    const work = yield* prepare(ctx, (resource) => opened.push(resource));
    const { params } = ctx;
    const { defences } = work;
    refuseUnsuitable(work.victim, defences);
    if (!work.state.isPreflightSaid || params.onlyPreflight) {
      const found = await preflight(
        work.unitWork,
        defences,
        ctx.models['victim']?.kind === 'file',
        work.session,
        work.lanes.length,
      );
      yield { type: 'artifact', name: 'preflight', title: 'What can be expected', content: { json: found } };
      for (const message of found.warnings) yield { type: 'log', level: 'warning', message };
      if (found.likelyMs !== null) {
        const minutes = found.likelyMs / 60_000;
        yield said(
          `The attacks take about ${minutes < 1 ? `${Math.ceil(60 * minutes)} s` : `${minutes.toFixed(1)} min`} on this machine.`,
        );
      }
      if (params.onlyPreflight) {
        const norms = found.norms.toSorted((a, b) => a - b);
        return { gradientNorm: norms[Math.floor(norms.length / 2)] ?? null };
      }
      work.state.isPreflightSaid = true;
    }
    const closed = yield* closedPhase(work);
    yield* closedFromFile(work);
    yield* tradeoffPhase(work);
    yield* labelPhase(work);
    const facts = defences.map((defence) => ({
      title: describeDefence(defence),
      noise: noiseVariance(defence, params.batchSize),
    }));
    const figures = yield* attackPhase(work, facts);
    return { ...closed, ...figures };
  } finally {
    await Promise.all(opened.map((resource) => resource.close()));
  }
};

/** Quick enough to be made again when a run goes on. */
async function* closedPhase(work: Work): Events<ResultMetrics> {
  const { params } = work.ctx;
  if (params.gradientFile !== '' || (!params.closedForm && params.imprintBins === 0)) return {};
  const data = await closedForms(
    { params, inputs: work.inputs, sharing: work.unitWork.sharing, session: work.session },
    work.defences,
  );
  yield { type: 'artifact', name: 'closed-form', title: 'Recovered in closed form', content: { json: data } };
  // Of several ways to the same images the best one counts.
  const share = (rows: typeof data.rows): number | undefined => {
    const shares = rows.filter(({ images }) => images > 0).map(({ exact, images }) => exact / images);
    return shares.length === 0 ? undefined : Math.max(...shares);
  };
  const own = share(
    data.rows.filter(({ way, note }) => !way.startsWith('A3') && !way.startsWith('A2') && !note.startsWith('under')),
  );
  const imprinted = share(data.rows.filter(({ way }) => way.startsWith('A3')));
  return {
    ...(own === undefined ? {} : { closedFormExact: own }),
    ...(imprinted === undefined ? {} : { imprinted }),
  };
}
