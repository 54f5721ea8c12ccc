import type { Check } from '../../contract/preflight.ts';
import { examineVictim } from '../../attacks/suspicions.ts';
import { openVictim } from '../../attacks/victim.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import type { LookAhead } from '../context.ts';
import { prepareAudit } from './audit.ts';
import { checkExtent, checkPixels, sanityMeter } from './setup.ts';
import type { spec } from './spec.ts';

const looked = 200;
/** Of images that a usable model knows. */
const poorAccuracy = 0.5;

/** Do labels and pre-processing fit, does the budget, and have attacks a gradient to follow? On some of the images. */
export const lookAhead: LookAhead<typeof spec> = async (ctx) => {
  const resources: { close(): Promise<void> }[] = [];
  try {
    const params = { ...ctx.params, count: Math.min(ctx.params.count, looked), universal: [] };
    const audit = await prepareAudit({ ...ctx, params }, (resource) => resources.push(resource));
    const { labels, settled, classNames } = audit;
    const extent = {
      count: Math.min(ctx.params.count, audit.available),
      attacks: audit.attacks.length,
      epsilons: settled.epsilons.length,
      classes: audit.models.map(({ model }) => model.classes),
    };
    checkExtent(ctx.params, extent, audit.images.size);
    const images = await audit.images.rows(0, labels.length);
    checkPixels(images, audit.indices, params, audit.dataTitle);
    const checks: Check[] = [];
    for (const { role, model } of audit.models) {
      const session = { device: ctx.device, threads: ctx.threads };
      const victim = openVictim(model, { session, bounds: [params.low, params.high] });
      const answers = argmaxRows(await victim.logits(images), model.classes);
      const right = answers.reduce((sum, answer, i) => sum + Number(answer === labels[i]), 0);
      const chance = 1 / model.classes;
      const meter =
        right > poorAccuracy * labels.length
          ? []
          : await sanityMeter(images, labels, model, (pixels) => victim.logits(pixels));
      checks.push(accuracyCheck(model.title, right, labels.length, chance, meter));
      if (role !== 'victim') continue;
      for (const { message } of await examineVictim(victim, images)) {
        checks.push({
          isGood: false,
          finding: message,
          measured: `on ${labels.length} images`,
          threshold: '',
          advice: doubt,
        });
      }
    }
    const present = new Set(labels);
    if (present.size === 1) {
      checks.push({
        isGood: false,
        finding: `All ${labels.length} images have the class ${classNames[labels[0] ?? 0] ?? ''}: figures hold for it alone.`,
        measured: '1 class',
        threshold: 'fewer than 2 classes',
        advice: 'Choose images of several classes, or pick them stratified.',
      });
    }
    for (const finding of audit.remarks) {
      checks.push({ isGood: false, finding, measured: '', threshold: '', advice: 'Choose another file.' });
    }
    for (const finding of audit.leftOut) {
      checks.push({
        isGood: false,
        finding,
        measured: '',
        threshold: '',
        advice: 'Choose other attacks, or a setting that fits them.',
      });
    }
    const epsilons = settled.epsilons.map((epsilon) => Number(epsilon.toPrecision(4))).join(', ');
    return {
      facts: [
        ['Kind of data', settled.preset],
        ['Budgets', `${params.norm} ${epsilons}`],
        ['Attacks', audit.attacks.map(({ declaration }) => declaration.title).join(', ')],
        ['Looked at', `${labels.length} images of ${present.size} classes of ${audit.dataTitle}`],
      ],
      checks,
      likelyMs: null,
    };
  } finally {
    await Promise.all(resources.map((resource) => resource.close()));
  }
};

const doubt = 'Treat robust accuracy with care, and rely on attacks that need no gradient, such as Square.';
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function accuracyCheck(
  title: string,
  right: number,
  count: number,
  chance: number,
  meter: readonly { readonly title: string; readonly accuracy: number }[],
): Check {
  const share = right / count;
  const threshold = `at most ${percent(poorAccuracy)}; chance is ${percent(chance)}`;
  const best = meter.toSorted((a, b) => b.accuracy - a.accuracy)[0];
  const measured = [
    `${right} of ${count} right`,
    ...meter.map((reading) => `${reading.title} ${percent(reading.accuracy)}`),
  ].join(', ');
  if (meter.length === 0) {
    return {
      isGood: true,
      finding: `${title} answers ${percent(share)} of the images rightly.`,
      measured,
      threshold,
      advice: '',
    };
  }
  const isBetter = best !== undefined && best.accuracy > share + 0.2;
  return {
    isGood: false,
    finding: `${title} answers only ${percent(share)} of the images rightly: the class order or the pre-processing is probably wrong.`,
    measured,
    threshold,
    advice: isBetter
      ? `With pixels read ${best.title} it is ${percent(best.accuracy)}: give mean and deviation with the model, or correct the labels.`
      : 'Give mean and deviation with the model, or check that these are images of its classes.',
  };
}
