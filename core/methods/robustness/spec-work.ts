import { z } from 'zod';
import { attackCatalogue } from '../../attacks/catalogue.ts';
import { imageBytes, lanesOf, reportBytes } from '../common-scale.ts';
import type { Footprint, Pass, RunScale, Work } from '../define.ts';

/** Beside the first model. */
export const mostCompared = 7;
const comparedRoles = Array.from({ length: mostCompared }, (_, i) => (i === 0 ? 'compared' : `compared${i + 1}`));

const budgetParams = ['attacks', 'attackOptions', 'epsilons', 'preset', 'survivorsOnly', 'defence', 'looks'] as const;
const besideParams = ['epsilons', 'severity', 'severityBounds', 'stepCounts'] as const;
type Name =
  | (typeof budgetParams)[number]
  | (typeof besideParams)[number]
  | 'count'
  | 'universal'
  | 'universalImages'
  | 'universalSteps'
  | 'corruptions';
const Budgeted = z.object({
  attacks: z.array(z.string()),
  attackOptions: z.record(z.string(), z.unknown()),
  epsilons: z.array(z.number()),
  survivorsOnly: z.boolean(),
  defence: z.string().default('none'),
  looks: z.int().default(1),
});

interface Passes {
  readonly forward: number;
  readonly backward: number;
}

/** Passes for one image over all attacks and epsilons, about. */
function passes(
  params: Readonly<Record<string, unknown>>,
  models: RunScale['models'],
  pick: (cost: Passes) => number,
): number {
  const { attacks, attackOptions, epsilons, survivorsOnly, defence, looks } = Budgeted.parse(params);
  const classes = models['victim']?.classes ?? 10;
  const each = attacks.map((id) => {
    const declaration = attackCatalogue.find((attack) => attack.id === id);
    const options = declaration?.options.safeParse(attackOptions[id] ?? {});
    return declaration && options?.success ? pick(declaration.cost(options.data, classes)) : 0;
  });
  // Presets name two epsilons; images that fall stop early, which spares about a third, but not behind a random defence;
  // of survivors about half are left.
  const share = (defence === 'none' ? 0.7 : looks) * (survivorsOnly ? 0.5 : 1);
  return each.reduce((a, b) => a + b, 0) * (epsilons.length || 2) * share;
}

/** The attacks on one of the models. */
function audited(model: string): readonly Work<Name>[] {
  const part = (pass: Pass, pick: (cost: Passes) => number): Work<Name> => ({
    times: ['count'],
    amount: {
      of: budgetParams,
      value: (params, models) => (model in models ? passes(params, models, pick) : 0),
    },
    batch: 32,
    costs: [{ model, pass }],
  });
  return [
    part('input-gradient', ({ backward }) => backward),
    part('forward', ({ forward, backward }) => forward - backward),
  ];
}

const Beside = z.object({
  epsilons: z.array(z.number()),
  severity: z.boolean(),
  severityBounds: z.boolean(),
  stepCounts: z.array(z.number()),
});

/** Steps of PGD on the first model beside its suite; told where to go it seldom ends early. */
function besideSteps(params: Readonly<Record<string, unknown>>): number {
  const { epsilons, severity, severityBounds, stepCounts } = Beside.parse(params);
  const steps = (severityBounds ? 80 : 0) + stepCounts.reduce((a, b) => a + b, 0);
  return severity ? steps * (epsilons.length || 2) : 0;
}

const timesIn = (list: unknown, item: string): number => Number(Array.isArray(list) && list.includes(item));

const Sized = z.object({
  count: z.number(),
  exported: z.number(),
  universalImages: z.number(),
  lanes: z.number(),
  attacks: z.array(z.string()),
  epsilons: z.array(z.number()),
  stepCounts: z.array(z.number()),
  severityBounds: z.boolean(),
});

/** What takes time: attacks on each model, universal perturbations, corruptions. */
export const work: readonly Work<Name>[] = [
  ...audited('victim'),
  ...comparedRoles.flatMap(audited),
  // Impressions with their views, then gradient steps over them.
  {
    times: ['universalImages'],
    amount: { of: ['universal'], value: ({ universal }) => 330 * timesIn(universal, 'impressions') },
    isAlone: true,
    costs: [{ model: 'victim', pass: 'input-gradient' }],
  },
  {
    times: ['universalImages'],
    amount: {
      of: ['universal'],
      value: ({ universal }) => 60 * timesIn(universal, 'sgd') + 400 * timesIn(universal, 'uap'),
    },
    isAlone: true,
    costs: [{ model: 'victim', pass: 'input-gradient' }],
  },
  {
    times: ['universalSteps'],
    amount: {
      of: ['universal'],
      value: ({ universal }) =>
        timesIn(universal, 'fff') + timesIn(universal, 'gd-uap') + timesIn(universal, 'gd-uap-range'),
    },
    batch: 1,
    isAlone: true,
    costs: [{ model: 'victim', pass: 'input-gradient' }],
  },
  {
    times: ['count'],
    amount: { of: besideParams, value: besideSteps },
    batch: 32,
    costs: [{ model: 'victim', pass: 'input-gradient' }],
  },
  // Some fifteen corruptions at three strengths; making one takes as long as several passes of a small network.
  ...['victim', ...comparedRoles].map((model): Work<Name> => ({
    times: ['count', 'corruptions'],
    amount: { of: ['corruptions'], value: (_params, models) => Number(model in models) },
    isAlone: true,
    costs: [{ model, pass: 'forward', count: 150 }],
  })),
];

/** Bytes that are kept of each image: columns of its answers, and its record under each attack at each epsilon. */
const [answerBytes, recordBytes] = [1200, 500] as const;
/** What the figures of all images may take; records are objects, which one process can hold about four million of. */
const mostRecordBytes = 2e9;

interface Extent {
  /** Attacks times epsilons, over all models. */
  readonly stages: number;
  /** Of each model. */
  readonly classes: readonly number[];
}

const bytesOfEach = ({ stages, classes }: Extent): number =>
  answerBytes + recordBytes * stages + 4 * classes.reduce((a, b) => a + b, 0);

/** The most images that an audit with so many attacks, epsilons and classes can hold the figures of. */
export const mostImages = (extent: Extent): number => Math.floor(mostRecordBytes / bytesOfEach(extent));

export function footprint(scale: RunScale): Footprint {
  const { count, exported, universalImages, lanes, attacks, epsilons, stepCounts, severityBounds } = Sized.parse(
    scale.params,
  );
  const models = ['victim', ...comparedRoles].flatMap((role) => scale.models[role] ?? []);
  const each = epsilons.length || 2;
  const beside = each * (stepCounts.length + (severityBounds ? 2 : 0));
  // Lines of the two tables of images; every model has as many.
  const lines = count * (attacks.length + 1) * each * Math.max(1, models.length);
  const stages = attacks.length * each * Math.max(1, models.length) + beside;
  const image = imageBytes(scale, 'victim');
  const processes = lanesOf(scale, lanes, Math.ceil(count / 8));
  const classes = models.map((model) => model.classes);
  return {
    lanes: processes,
    // A group of each lane with what becomes of it, images behind a universal perturbation, and figures of each image.
    keptBytes: 8 * 64 * processes * image + 3 * universalImages * image + count * bytesOfEach({ stages, classes }),
    batchSize: 64,
    // Adversarial images wait on the disk until the run has ended.
    writtenBytes:
      (2.6 * Math.min(exported, count) + Math.max(1, models.length) * count) * image + 300 * lines + reportBytes,
  };
}
