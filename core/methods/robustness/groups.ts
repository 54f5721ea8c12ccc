import { z } from 'zod';
import { invariant } from '../../base/errors.ts';
import type { Tensor } from '../../base/tensor.ts';
import type { Attack } from '../../attacks/attack.ts';
import { runUnit, type AttackUnit, type UnitResult } from '../../attacks/unit.ts';
import type { Victim } from '../../attacks/victim.ts';
import type { SampleRecord } from '../../attacks/shell.ts';
import type { Spill } from '../../data/spill.ts';
import { pickFlips, recordFlips, type Flips } from '../../metrics/severity/flips.ts';
import { partOf, partTensors, readPart, type PartOwner, type StagePart } from './parts.ts';

/** Some audited images of one model: what one lane works on at a time. */
export interface GroupJob {
  readonly role: string;
  readonly group: number;
  /** [n, C, H, W], read anew each time. */
  readonly images: () => Promise<Float32Array>;
  readonly labels: Int32Array;
  /** What the model answers without an attack: logits [n, K]. */
  readonly clean: Float32Array;
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
  /** Divides logits wherever probabilities are made of them. */
  readonly temperature: number;
  /** Where adversarial images are kept; undefined: nowhere. */
  readonly spill: Spill | undefined;
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
  if (isDone(job, plan, parts)) return;
  const images = await job.images();
  const owner = ownerOf(job, plan);
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
        for await (const said of attackGroup(
          job,
          plan,
          { attack, epsilon, images, isFallen: fallen },
          victim,
          sources,
        )) {
          if (!said) yield { job };
          else {
            const own = partKey(job.role, job.group, id, said.epsilon);
            // A run that goes on may have this one already.
            if (parts.has(own)) continue;
            const part = partOf(
              said,
              owner,
              victim.size,
              !isMinimal || said.epsilon === plan.epsilons[0] ? fallen : none,
            );
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

const ownerOf = ({ clean, labels }: GroupJob, { temperature, spill }: GroupPlan): PartOwner => ({
  clean,
  labels,
  temperature,
  spill,
});

interface Attempt {
  readonly attack: Attack;
  readonly epsilon: number;
  /** Of the group. */
  readonly images: Float32Array;
  readonly isFallen: Uint8Array;
}

/** undefined: a pulse. */
async function* attackGroup(
  { labels, indices, targets }: GroupJob,
  { norm, epsilons, seed, survivorsOnly }: GroupPlan,
  { attack, epsilon, images, isFallen }: Attempt,
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

/** Where parts keep their images, by key, for the JSON of a checkpoint. */
const Places = z.record(z.string(), z.tuple([z.number(), z.number(), z.number()]));

/** Parts as a checkpoint stores them; what they keep on disk is synced. */
export function partsCheckpoint(parts: Parts, spill: Spill): { tensors: Record<string, Tensor>; places: unknown } {
  spill.sync();
  const places = [...parts].flatMap(([key, { place }]) =>
    place ? [[key, [place.offset, place.length, place.crc]] as const] : [],
  );
  return {
    tensors: Object.assign({}, ...[...parts].map(([key, part]) => partTensors(key, part))),
    places: Object.fromEntries(places),
  };
}

/** The parts of `jobs` that a checkpoint holds; `places` as `partsCheckpoint` gave them. */
export function restoreParts(
  jobs: readonly GroupJob[],
  plan: GroupPlan,
  stored: Readonly<Record<string, Tensor>>,
  places: unknown,
): Parts {
  const parts: Parts = new Map();
  const known = Places.catch({}).parse(places);
  for (const job of jobs) {
    for (const epsilon of plan.epsilons) {
      for (const { declaration } of plan.attacks) {
        const { id: attackId, isControl = false } = declaration;
        const key = partKey(job.role, job.group, attackId, epsilon);
        const [offset, length, crc] = known[key] ?? [];
        const place =
          offset === undefined || length === undefined || crc === undefined ? undefined : { offset, length, crc };
        const part = readPart(key, { attackId, isControl, epsilon, place }, ownerOf(job, plan), stored);
        if (part) parts.set(key, part);
      }
    }
  }
  return parts;
}

/** Parts of groups of a model for one attack and epsilon, joined in the order of the images. */
export interface Stage {
  readonly attackId: string;
  readonly title: string;
  readonly isControl: boolean;
  readonly epsilon: number;
  readonly records: readonly SampleRecord[];
  readonly flips: Flips;
  /** The kept adversarial image of a place in the order, read from disk. */
  adversarial(image: number): Float32Array<ArrayBuffer> | undefined;
}

/** @param jobs groups of one model that follow each other */
export function joinStages(jobs: readonly GroupJob[], plan: GroupPlan, parts: Parts, size: number): Stage[] {
  const labels = Int32Array.from(jobs.flatMap((job) => [...job.labels]));
  const [job] = jobs;
  const about = { count: labels.length, classes: job ? job.clean.length / job.labels.length : 0, labels };
  return plan.epsilons.flatMap((epsilon) =>
    plan.attacks.map(({ declaration }): Stage => {
      const { id: attackId, title, isControl = false } = declaration;
      const own = jobs.flatMap(({ role, group }) => parts.get(partKey(role, group, attackId, epsilon)) ?? []);
      return {
        attackId,
        title,
        isControl,
        epsilon,
        records: own.flatMap(({ records }) => records),
        flips: joinFlips(
          own.map(({ flips }) => flips),
          about,
        ),
        adversarial: (image) => keptImage(own, image, size, plan.spill),
      };
    }),
  );
}

/** Pieces of the same images in their order, as one. */
export function joinFlips(pieces: readonly Flips[], about: Pick<Flips, 'count' | 'classes' | 'labels'>): Flips {
  let [at, start] = [0, 0];
  return pickFlips(about, (i) => {
    for (;;) {
      const flips = pieces[at];
      invariant(flips, 'every group has been attacked');
      if (i < start + flips.count) return { flips, row: i - start };
      start += flips.count;
      at++;
    }
  });
}

function keptImage(
  own: readonly StagePart[],
  image: number,
  size: number,
  spill: Spill | undefined,
): Float32Array<ArrayBuffer> | undefined {
  let start = 0;
  for (const { records, keptRows, place } of own) {
    if (image < start + records.length) {
      const at = keptRows.indexOf(image - start);
      return at < 0 || !place ? undefined : spill?.read(place, at * size, (at + 1) * size);
    }
    start += records.length;
  }
  return undefined;
}

/** What groups answer that nothing has been done to. */
export const stillFlips = (job: GroupJob, { temperature }: GroupPlan): Flips =>
  recordFlips({
    clean: job.clean,
    attacked: job.clean,
    labels: job.labels,
    classes: job.clean.length / job.labels.length,
    temperature,
  });
