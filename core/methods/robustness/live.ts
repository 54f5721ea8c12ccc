import { recordFlips } from '../../metrics/severity/flips.ts';
import type { MethodEvent } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import { worstCase } from '../../attacks/verdicts.ts';
import { galleryTriplets, tripletGrid } from './artifacts.ts';
import type { Audit } from './audit.ts';
import { isDone, joinStages, type GroupJob, type GroupPlan, type Parts } from './groups.ts';
import { worstLogits } from './outcome.ts';
import type { spec } from './spec.ts';

/** An audit while its attacks are under way. */
interface SoFar extends Audit {
  readonly ctx: { readonly params: Pick<ParamsOf<typeof spec>, 'low' | 'high'> };
  /** Clean logits by role [N, K]. */
  readonly clean: ReadonlyMap<string, Float32Array>;
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
  const { jobs, plan, parts, images, labels, classNames, models, clean, ctx } = work;
  const own = jobs.filter(({ role }) => role === 'victim');
  const undone = own.findIndex((job) => !isDone(job, plan, parts));
  const done = undone < 0 ? own.length : undone;
  const [model, epsilon] = [models[0]?.model, plan.epsilons.at(-1)];
  const logits = clean.get('victim');
  if (!model || !logits || epsilon === undefined) return;
  for (let eighth = 1; eighth <= mostPictures; eighth++) {
    const upTo = Math.ceil((own.length * eighth) / mostPictures);
    if (upTo > done || upTo <= seen.groups) continue;
    const sizes = own.slice(0, upTo).map((job) => job.labels.length);
    const count = sizes.reduce((a, b) => a + b, 0);
    const from = sizes.slice(0, seen.groups).reduce((a, b) => a + b, 0);
    seen.groups = upTo;
    const stages = joinStages('victim', sizes, plan, parts, images.length / labels.length);
    const before = logits.subarray(0, count * model.classes);
    const about = { stages, clean: before, classes: model.classes, labels: labels.subarray(0, count) };
    const flips = recordFlips({ clean: before, attacked: worstLogits(about, epsilon), classes: model.classes });
    const worst = worstCase(stages, epsilon, count).map((each, i) => (i < from ? undefined : each));
    const distances = Float64Array.from(flips.newRank, (rank) => rank - 1);
    const triplets = galleryTriplets({ worst, flips, distances, images, classNames }, 3);
    if (triplets.length === 0) continue;
    const title = `Fallen among images ${from + 1} to ${count}`;
    const bounds = [ctx.params.low, ctx.params.high] as const;
    yield (await tripletGrid(triplets, model.shape, bounds, { name: `examples-${count}`, title })).event;
  }
}
