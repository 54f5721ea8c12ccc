import { prepareAttack } from '../../attacks/registry.ts';
import { corruptionKinds, rightUnderCorruption } from '../../attacks/corruptions.ts';
import type { Victim } from '../../attacks/victim.ts';
import { extremeTargets, type Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import type { AuditData } from '../../report/audit.ts';
import { arraySource, createPredictor } from '../../train/evaluate.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { Audit } from './audit.ts';
import type { GroupJob, GroupPlan } from './groups.ts';
import { chooseMeasures } from './measures.ts';
import type { BesideStage } from './outcome.ts';

/** The measures of the run, the first of which leads; none when severity is switched off. */
export async function measuresOf(audit: Audit, victimLogits: Float32Array): Promise<Dissimilarity[]> {
  const { judge, images, labels, taxonomy } = audit;
  const victim = audit.models[0]?.model ?? judge;
  return chooseMeasures({
    taxonomy,
    victim,
    judge,
    judgeLogits: judge === victim ? victimLogits : await outputsOf(judge, images, judge.logitsName),
    judgeFeatures: await featuresOf(judge, images),
    images,
    labels,
  });
}

/** Features that enter the last linear layer [N, F]; undefined where they are no rows. */
async function featuresOf(model: OpenedModel, images: Float32Array): Promise<Float32Array | undefined> {
  const { templates } = model.description;
  if (!templates || templates.op === 'Conv') return undefined;
  return outputsOf(model, images, templates.featureName);
}

async function outputsOf({ graph, shape }: OpenedModel, images: Float32Array, name: string): Promise<Float32Array> {
  const outputs = [{ name, dtype: 'float32' as const, shape: ['N', 'F'] }];
  const predictor = await createPredictor({
    graph: { ...graph, outputs },
    shape,
    outputName: name,
    session: { device: 'cpu', threads: 1 },
  });
  try {
    return await predictor.predict(arraySource(images, shape));
  } finally {
    await predictor.close();
  }
}

/** PGD once more on the same groups of the victim, in a way that no worst case counts. */
export interface BesidePass extends Pick<BesideStage, 'title' | 'family' | 'steps'> {
  readonly role: string;
  readonly jobs: readonly GroupJob[];
  readonly plan: GroupPlan;
}

export interface BesideWishes {
  /** Leads, and is what near and far go by. */
  readonly measure: Dissimilarity | undefined;
  readonly bounds: boolean;
  readonly stepCounts: readonly number[];
}

/**
 * Towards the nearest and the farthest class of each image by `measure` (fooling-severity.md, 4.9), and with other numbers of
 * steps (its table T5); none for a norm that PGD does not know.
 */
export function besidePasses(
  jobs: readonly GroupJob[],
  plan: GroupPlan,
  audit: Audit,
  { measure, bounds, stepCounts }: BesideWishes,
): BesidePass[] {
  const options = audit.settled.options['pgd'] ?? {};
  const attack = prepareAttack('pgd', options);
  if (!measure || !attack.declaration.norms.includes(plan.norm)) return [];
  const own = jobs.filter(({ role }) => role === 'victim');
  const ends = [
    ['least', 'PGD to the nearest class'],
    ['most', 'PGD to the farthest class'],
  ] as const;
  return [
    ...(bounds ? ends : []).map(([role, title]): BesidePass => ({
      role,
      title,
      family: 'targeted',
      steps: null,
      plan: { ...plan, attacks: [attack], survivorsOnly: false },
      jobs: own.map((job) => ({ ...job, role, targets: extremeTargets(measure.values, job.labels)[role] })),
    })),
    ...[...new Set(stepCounts)].map((steps): BesidePass => {
      const role = `steps-${steps}`;
      return {
        role,
        title: 'PGD',
        family: 'sweep',
        steps,
        plan: { ...plan, attacks: [prepareAttack('pgd', { ...options, steps })], survivorsOnly: false },
        jobs: own.map((job) => ({ ...job, role })),
      };
    }),
  ];
}

const strengths = [1, 3, 5] as const;

/** Accuracy of every model under every corruption; yields between two of them. */
export async function* corruptAll(
  audit: Audit,
  victimOf: (role: string) => Victim,
  seed: number,
): AsyncGenerator<{ readonly done: number; readonly total: number }, AuditData['corruptions'], void> {
  const { images, labels, indices, models } = audit;
  const rows: NonNullable<AuditData['corruptions']>['rows'] = [];
  const total = models.length * corruptionKinds.length;
  for (const { role, model } of models) {
    for (const kind of corruptionKinds) {
      yield { done: rows.length, total };
      const accuracies: number[] = [];
      for (const severity of strengths) {
        const right = await rightUnderCorruption(victimOf(role), images, labels, { kind, severity }, { indices, seed });
        accuracies.push(right.filter(Boolean).length / labels.length);
      }
      rows.push({ model: model.title, kind, accuracies });
    }
  }
  return { strengths: [...strengths], rows };
}
