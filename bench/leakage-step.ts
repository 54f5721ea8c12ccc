import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ImageSet } from '../core/data/dataset.ts';
import { openAttack } from '../core/leakage/attack.ts';
import { presetSettings } from '../core/leakage/attack-presets.ts';
import { openClient } from '../core/leakage/victim-gradient.ts';
import { openVictim, type Victim } from '../core/leakage/victim.ts';
import { psnrDb } from '../core/metrics/images.ts';
import { openModel } from '../core/train/models.ts';
import { itemOf } from './leakage-runs.ts';
import { summarise, TorchTimes, type StepTime } from './step-time.ts';

export interface LeakageTiming {
  readonly ours: StepTime;
  readonly torch: StepTime | undefined;
}

export interface InvertingTiming extends LeakageTiming {
  /** Of each image, clipped to the box by the attack itself. */
  readonly psnr: readonly number[];
  readonly torchPsnr: readonly number[] | undefined;
}

const reference = fileURLToPath(new URL('reference/leakage_step.py', import.meta.url));
const Inverted = TorchTimes.extend({ psnr: z.array(z.number()) });
const session = { device: 'cpu', threads: 1 } as const;

const zooVictim = async (architecture: string, set: ImageSet): Promise<Victim> =>
  openVictim(await openModel({ kind: 'zoo', architecture }, 'victim', { shape: set.shape, classes: 10, seed: 0 }));

/**
 * Milliseconds of one evaluation of DLG on LeNet(Zhu), batch 1, one thread, as the optimiser asks for them: L-BFGS's own
 * work is in it, on both sides. Measured in turn, `rounds` times.
 */
export async function measureDlg(set: ImageSet, python: string | undefined, rounds: number): Promise<LeakageTiming> {
  const victim = await zooVictim('lenet-zhu', set);
  const client = await openClient(victim, { batchSize: 1, session });
  const { image, label } = await itemOf(set, 0);
  const { shared } = await client.share(image, [label]);
  await client.close();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const settings = presetSettings('dlg', { batchSize: 1, labels: [], seed: round });
    const attack = await openAttack(victim, shared, { ...settings, stopBelow: 0 }, session);
    await attack.advance();
    for (let repeat = 0; repeat < 5; repeat++) {
      const before = attack.progress.evaluations;
      const startedAt = performance.now();
      await attack.advance();
      const used = attack.progress.evaluations - before;
      if (used >= 10) ours.push((performance.now() - startedAt) / used);
    }
    await attack.close();
    if (python !== undefined) {
      const answer = execFileSync(python, [reference, 'dlg', '10', '1'], { encoding: 'utf8' });
      theirs.push(...TorchTimes.parse(JSON.parse(answer)).milliseconds.slice(1));
    }
  }
  return { ours: summarise(ours), torch: python === undefined ? undefined : summarise(theirs) };
}

/** Inverting Gradients on the small ConvNet, one image after the other, ours and PyTorch's in turn. */
export async function measureInverting(
  set: ImageSet,
  indices: readonly number[],
  steps: number,
  python: string | undefined,
): Promise<InvertingTiming> {
  const victim = await zooVictim('convnet-small', set);
  const totalVariation = 1e-4;
  const client = await openClient(victim, { batchSize: 1, session });
  const [ours, theirs, psnr, torchPsnr]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (const index of indices) {
    const { image, label } = await itemOf(set, index);
    const { shared } = await client.share(image, [label]);
    const settings = presetSettings('inverting-gradients', { batchSize: 1, labels: [label], seed: 1000 + index });
    const attack = await openAttack(
      victim,
      shared,
      { ...settings, steps, keep: 'last', priors: { totalVariation } },
      session,
    );
    const startedAt = performance.now();
    while (!attack.outcome) await attack.advance(50);
    ours.push((performance.now() - startedAt) / steps);
    psnr.push(psnrDb(attack.outcome.images.data, image.data));
    await attack.close();
    if (python === undefined) continue;
    const input = JSON.stringify({
      shape: set.shape,
      images: [[...image.data]],
      labels: [label],
      variation: totalVariation,
    });
    const answer = execFileSync(python, [reference, 'inverting', String(steps), '1'], { encoding: 'utf8', input });
    const told = Inverted.parse(JSON.parse(answer));
    theirs.push(...told.milliseconds);
    torchPsnr.push(...told.psnr);
  }
  await client.close();
  const has = python !== undefined;
  return {
    ours: summarise(ours),
    torch: has ? summarise(theirs) : undefined,
    psnr,
    torchPsnr: has ? torchPsnr : undefined,
  };
}
