import type { Tensor } from '../../base/tensor.ts';
import type { Attack } from '../../attacks/attack.ts';
import { runUnit, type AttackUnit, type UnitResult } from '../../attacks/unit.ts';
import type { Victim } from '../../attacks/victim.ts';
import { partOf, partTensors, readPart, type StagePart } from './parts.ts';

/** Some audited images of one model: what one lane works on at a time. */
export interface GroupJob {
  readonly role: string;
  readonly group: number;
  /** [n, C, H, W]. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  /** Numbers of the images in the data. */
  readonly indices: Int32Array;
  readonly targets: Int32Array | undefined;
}

export interface GroupPlan {
  readonly attacks: readonly Attack[];
  /** Ascending. */
  readonly epsilons: readonly number[];
  readonly norm: 'linf' | 'l2' | 'l1';
  readonly survivorsOnly: boolean;
  readonly seed: number;
}

/** Finished parts by key; grows only. */
export type Parts = Map<string, StagePart>;

/** Between two calls of the engine; `part` when an attack has finished with the group at one epsilon. */
export interface GroupSaid {
  readonly job: GroupJob;
  readonly part?: StagePart;
}

export const partKey = (role: string, group: number, attackId: string, epsilon: number): string =>
  `attack/${role}/${group}/${attackId}/${epsilon}`;

/** All attacks at all epsilons have been on this group. */
export const isDone = ({ role, group }: GroupJob, { attacks, epsilons }: GroupPlan, parts: Parts): boolean =>
  epsilons.every((epsilon) =>
    attacks.every(({ declaration }) => parts.has(partKey(role, group, declaration.id, epsilon))),
  );

/** All attacks at all epsilons on one group, the smallest epsilon first; what `parts` holds already is not done again. */
export async function* runGroup(
  job: GroupJob,
  plan: GroupPlan,
  victim: Victim,
  sources: readonly Victim[],
  parts: Parts,
): AsyncGenerator<GroupSaid, void, void> {
  const isFallen = new Uint8Array(job.labels.length);
  const none = new Uint8Array(job.labels.length);
  /** What had fallen when a minimal attack was met at the smallest epsilon, where it answers for all of them. */
  const fallenAtFirst = new Map<Attack, Uint8Array>();
  for (const epsilon of plan.epsilons) {
    for (const attack of plan.attacks) {
      const { id, isControl = false } = attack.declaration;
      const key = partKey(job.role, job.group, id, epsilon);
      const isMinimal = attack.declaration.aim === 'minimal';
      const fallen = isMinimal ? (fallenAtFirst.get(attack) ?? Uint8Array.from(isFallen)) : isFallen;
      if (isMinimal) fallenAtFirst.set(attack, fallen);
      if (!parts.has(key)) {
        for await (const said of attackGroup(job, plan, attack, epsilon, fallen, victim, sources)) {
          if (!said) yield { job };
          else {
            const own = partKey(job.role, job.group, id, said.epsilon);
            // A run that goes on may have this one already.
            if (parts.has(own)) continue;
            const part = partOf(said, victim.size, !isMinimal || said.epsilon === plan.epsilons[0] ? fallen : none);
            parts.set(own, part);
            yield { job, part };
          }
        }
      }
      const part = parts.get(key);
      if (!isControl) part?.records.forEach(({ verdict }, i) => (isFallen[i]! |= Number(verdict === 'fooled')));
    }
  }
}

/** undefined: a pulse. */
async function* attackGroup(
  { images, labels, indices, targets }: GroupJob,
  { norm, epsilons, seed, survivorsOnly }: GroupPlan,
  attack: Attack,
  epsilon: number,
  isFallen: Uint8Array,
  victim: Victim,
  sources: readonly Victim[],
): AsyncGenerator<UnitResult | undefined, void, void> {
  const unit: AttackUnit = {
    victim,
    images,
    labels,
    indices,
    attacks: [attack],
    norm,
    // An attack for the smallest perturbation runs once, and is judged at each.
    epsilons: attack.declaration.aim === 'minimal' ? epsilons : [epsilon],
    ...(targets ? { targets } : {}),
    seed,
    survivorsOnly,
    isFallen,
    sources,
  };
  for await (const said of runUnit(unit)) yield said.type === 'result' ? said.result : undefined;
}

/** Parts as a checkpoint stores them. */
export function partsCheckpoint(parts: Parts): Record<string, Tensor> {
  return Object.assign({}, ...[...parts].map(([key, part]) => partTensors(key, part)));
}

/** The parts of `jobs` that a checkpoint holds. */
export function restoreParts(
  jobs: readonly Pick<GroupJob, 'role' | 'group'>[],
  { attacks, epsilons }: GroupPlan,
  stored: Readonly<Record<string, Tensor>>,
): Parts {
  const parts: Parts = new Map();
  for (const { role, group } of jobs) {
    for (const epsilon of epsilons) {
      for (const { declaration } of attacks) {
        const { id: attackId, isControl = false } = declaration;
        const key = partKey(role, group, attackId, epsilon);
        const part = readPart(key, { attackId, isControl, epsilon }, stored);
        if (part) parts.set(key, part);
      }
    }
  }
  return parts;
}

/** Parts of all groups of a model for one attack and epsilon, joined in the order of the images. */
export interface Stage extends Omit<StagePart, 'keptRows' | 'kept'> {
  readonly title: string;
  /** Audited image → its kept adversarial image. */
  readonly adversarial: ReadonlyMap<number, Float32Array>;
}

/** @param groups how many images each group has */
export function joinStages(
  role: string,
  groups: readonly number[],
  { attacks, epsilons }: GroupPlan,
  parts: Parts,
  size: number,
): Stage[] {
  return epsilons.flatMap((epsilon) =>
    attacks.map(({ declaration }): Stage => {
      const { id: attackId, title, isControl = false } = declaration;
      const own = groups.flatMap((_, group) => parts.get(partKey(role, group, attackId, epsilon)) ?? []);
      const adversarial = new Map<number, Float32Array>();
      let start = 0;
      own.forEach(({ keptRows, kept, records }) => {
        keptRows.forEach((row, i) => adversarial.set(start + row, kept.subarray(i * size, (i + 1) * size)));
        start += records.length;
      });
      const logits = new Float32Array(own.reduce((sum, part) => sum + part.logits.length, 0));
      let at = 0;
      for (const part of own) {
        logits.set(part.logits, at);
        at += part.logits.length;
      }
      return {
        attackId,
        title,
        isControl,
        epsilon,
        records: own.flatMap(({ records }) => records),
        logits,
        adversarial,
      };
    }),
  );
}
