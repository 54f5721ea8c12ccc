import { invariant, WorkbenchError } from '../base/errors.ts';
import { implement, type Implementation } from './attack.ts';
import { noise, transfer } from './catalogue-blind.ts';
import { topClass } from '../metrics/classification.ts';
import { perturbationNorms, projectRow } from './perturbation.ts';
import { stepAttacks } from './step-attacks.ts';
import { isWanted, keepSuccess, openLedger, raiseFlag, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';

/** Attacks that never ask the model while they are made: from other models, and from nowhere. */
export const blindAttacks: readonly Implementation[] = [
  implement(transfer, async function* (task, { method, steps }) {
    if (task.sources.length === 0) {
      throw new WorkbenchError('PARAM_INVALID', 'Transfer from other models: expected another model, got none', {
        hint: 'Name a source: a model of the same images and classes, trained apart from the one that is attacked.',
      });
    }
    for (const source of task.sources) {
      refuseOther(task, source.model.shape, source.classes, source.model.title);
      const ledger = openLedger(task.images, task.count);
      yield* onSource({ ...task, victim: source, ledger }, method, steps);
      const reached = await source.logits(ledger.images);
      for (let i = 0; i < task.count; i++) {
        if (isWanted(task, i, topClass(reached, i, source.classes))) raiseFlag(task.ledger, i, 'fools-source');
        projectRow(
          rowOf(ledger.images, source.size, i),
          rowOf(task.images, source.size, i),
          task.norm,
          task.epsilon,
          task.victim.bounds,
        );
      }
      await show(task, ledger.images, 0);
    }
  }),
  implement(noise, async function* (task, { kind, draws }) {
    const { size } = task.victim;
    for (let draw = 0; draw < draws; draw++) {
      const images = Float32Array.from(task.images);
      for (const sample of survivors(task)) {
        const rng = task.random(sample, draw);
        const [row, clean] = [rowOf(images, size, sample), rowOf(task.images, size, sample)];
        for (let i = 0; i < size; i++) {
          const step = task.norm === 'linf' ? 2 * rng.uniform() - 1 : rng.normal();
          row[i]! += task.norm !== 'linf' ? step : task.epsilon * (kind === 'signs' ? Math.sign(step) : step);
        }
        if (task.norm !== 'linf') {
          const share = kind === 'uniform' ? rng.uniform() ** (1 / size) : 1;
          const scale = (task.epsilon * share) / perturbationNorms(row, clean)[task.norm];
          for (let i = 0; i < size; i++) row[i] = clean[i]! + scale * (row[i]! - clean[i]!);
        }
        projectRow(row, clean, task.norm, task.epsilon, task.victim.bounds);
      }
      await show(task, images, draw);
      yield { done: draw, total: draws };
    }
  }),
];

/** Asks the model that is attacked. */
async function show(task: AttackTask, images: Float32Array, step: number): Promise<void> {
  const { victim, ledger } = task;
  const logits = await victim.logits(images);
  for (const sample of survivors(task)) {
    ledger.queries[sample]! += 1;
    const image = rowOf(images, victim.size, sample);
    if (isWanted(task, sample, topClass(logits, sample, victim.classes))) keepSuccess(task, sample, image, step);
    else ledger.images.set(image, sample * victim.size);
  }
}

async function* onSource(task: AttackTask, method: string, steps: number): AsyncGenerator<Pulse, void, void> {
  const known = stepAttacks.find(({ declaration }) => declaration.id === method);
  invariant(known, `${method} can be run on a source`);
  const options = known.declaration.options.shape;
  const attack = known.prepare({
    ...('steps' in options ? { steps } : {}),
    ...('stopsAtSuccess' in options ? { stopsAtSuccess: false } : {}),
  });
  yield* attack.run(task);
}

function refuseOther({ victim }: AttackTask, shape: readonly number[], classes: number, title: string): void {
  if (shape.join() === victim.model.shape.join() && classes === victim.classes) return;
  throw new WorkbenchError(
    'MODEL_UNSUITABLE',
    `The source ${title}: expected images of ${victim.model.shape.join(' × ')} and ${victim.classes} classes, got ${shape.join(' × ')} and ${classes}`,
    { hint: 'Choose a source that takes the same images and names the same classes.' },
  );
}
