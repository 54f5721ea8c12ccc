import type { MethodEvent } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import { worstCase } from '../../attacks/verdicts.ts';
import { galleryTriplets, tripletGrid } from './artifacts.ts';
import type { Audit } from './audit.ts';
import { isDone, joinFlips, joinStages, stillFlips, type GroupJob, type GroupPlan, type Parts } from './groups.ts';
import { worstFlips } from './outcome.ts';
import type { spec } from './spec.ts';

/** An audit while its attacks are under way. */
interface SoFar extends Audit {
  readonly ctx: { readonly params: Pick<ParamsOf<typeof spec>, 'low' | 'high'> };
  readonly jobs: readonly GroupJob[];
  readonly plan: GroupPlan;
  readonly parts: Parts;
}

/** Pictures of a whole run. */
const mostPictures = 8;

/**
 * Clean images, perturbations and adversarial images as they fall: a picture whenever another eighth of the groups is done,
 * of the images of that eighth. Groups count in their order, so that pictures do not hang on which lane was quicker, and
 * `seen` is how many have been shown.
 */
export async function* examplesSoFar(work: SoFar, seen: { groups: number }): AsyncGenerator<MethodEvent, void, void> {
  const { jobs, plan, parts, images, classNames, models, ctx } = work;
  const own = jobs.filter(({ role }) => role === 'victim');
  const undone = own.findIndex((job) => !isDone(job, plan, parts));
  const done = undone < 0 ? own.length : undone;
  const [model, epsilon] = [models[0]?.model, plan.epsilons.at(-1)];
  if (!model || epsilon === undefined) return;
  for (let eighth = 1; eighth <= mostPictures; eighth++) {
    const upTo = Math.ceil((own.length * eighth) / mostPictures);
    if (upTo > done || upTo <= seen.groups) continue;
    const fresh = own.slice(seen.groups, upTo);
    const from = own.slice(0, seen.groups).reduce((sum, job) => sum + job.labels.length, 0);
    seen.groups = upTo;
    const stages = joinStages(fresh, plan, parts, images.size);
    const about = { count: fresh.reduce((sum, job) => sum + job.labels.length, 0), classes: model.classes };
    const still = joinFlips(
      fresh.map((job) => stillFlips(job, plan)),
      { ...about, labels: undefined },
    );
    const count = from + about.count;
    const flips = worstFlips({ stages, still }, epsilon);
    const worst = worstCase(stages, epsilon, about.count);
    const distances = Float64Array.from(flips.newRank, (rank) => rank - 1);
    const clean = (places: readonly number[]) => images.at(places.map((place) => from + place));
    const triplets = await galleryTriplets({ worst, flips, distances, clean, classNames }, 3);
    if (triplets.length === 0) continue;
    const title = `Fallen among images ${from + 1} to ${count}`;
    const bounds = [ctx.params.low, ctx.params.high] as const;
    yield (await tripletGrid(triplets, model.shape, bounds, { name: `examples-${count}`, title })).event;
  }
}
