import { z } from 'zod';
import { prepareAttack } from '../../attacks/registry.ts';
import { corruptionKinds, rightUnderCorruption } from '../../attacks/corruptions.ts';
import type { Victim } from '../../attacks/victim.ts';
import { extremeTargets, type Dissimilarity } from '../../metrics/severity/dissimilarity.ts';
import type { AuditData } from '../../report/audit.ts';
import type { Audit } from './audit.ts';
import type { GroupJob, GroupPlan } from './groups.ts';
import type { BesideStage } from './outcome.ts';

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
      plan: { ...plan, attacks: [attack], survivorsOnly: false, spill: undefined },
      jobs: own.map((job) => ({ ...job, role, targets: extremeTargets(measure.values, job.labels)[role] })),
    })),
    ...[...new Set(stepCounts)].map((steps): BesidePass => {
      const role = `steps-${steps}`;
      return {
        role,
        title: 'PGD',
        family: 'sweep',
        steps,
        plan: {
          ...plan,
          attacks: [prepareAttack('pgd', { ...options, steps })],
          survivorsOnly: false,
          spill: undefined,
        },
        jobs: own.map((job) => ({ ...job, role })),
      };
    }),
  ];
}

const strengths = [1, 3, 5] as const;

/** How many images the models get right under each corruption so far, and how many have been shown; a checkpoint's JSON. */
export const CorruptionCounts = z.object({
  shown: z.int().min(0),
  /** By model, kind and strength. */
  right: z.array(z.array(z.array(z.number()))),
});
export type CorruptionCounts = z.infer<typeof CorruptionCounts>;

export const noCorruptions = ({ models }: Pick<Audit, 'models'>): CorruptionCounts => ({
  shown: 0,
  right: models.map(() => corruptionKinds.map(() => strengths.map(() => 0))),
});

/** Shows corrupted images to every model, some at a time; `found` gives the counts whenever all have seen an image. */
export async function* corruptAll(
  { images, labels, indices, models }: Audit,
  victimOf: (role: string) => Victim,
  seed: number,
  counts: CorruptionCounts,
  found: (counts: CorruptionCounts) => void,
): AsyncGenerator<{ readonly done: number; readonly total: number }, void, void> {
  const total = images.count * corruptionKinds.length;
  for (let from = counts.shown; from < images.count;) {
    const to = Math.min(images.count, from + 64);
    const some = await images.rows(from, to);
    const [own, numbers] = [labels.subarray(from, to), indices.subarray(from, to)];
    const right = structuredClone(counts.right);
    for (const [k, kind] of corruptionKinds.entries()) {
      yield { done: from * corruptionKinds.length + k * (to - from), total };
      for (const [m, { role }] of models.entries()) {
        for (const [s, severity] of strengths.entries()) {
          const about = { indices: numbers, seed };
          const still = await rightUnderCorruption(victimOf(role), some, own, { kind, severity }, about);
          const row = right[m]?.[k];
          if (row) row[s] = (row[s] ?? 0) + still.filter(Boolean).length;
        }
      }
    }
    counts = { shown: to, right };
    found(counts);
    from = to;
  }
}

/** Accuracies of every model under every corruption. */
export function corruptionAccuracies({ models, images }: Audit, { right }: CorruptionCounts): AuditData['corruptions'] {
  const rows = models.flatMap(({ model }, m) =>
    corruptionKinds.map((kind, k) => ({
      model: model.title,
      kind,
      accuracies: strengths.map((_, s) => (right[m]?.[k]?.[s] ?? 0) / images.count),
    })),
  );
  return { strengths: [...strengths], rows };
}
