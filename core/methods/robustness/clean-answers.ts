import { WorkbenchError } from '../../base/errors.ts';
import type { Victim } from '../../attacks/victim.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import type { Events } from '../events.ts';
import type { Audit } from './audit.ts';
import { inPieces } from './images.ts';
import { checkPixels, sanityMeter } from './setup.ts';
import type { spec } from './spec.ts';

type Asked = Pick<RunContext<ParamsOf<typeof spec>>, 'params' | 'signal'>;

/** What the models answer without an attack; says what may be wrong where they answer as badly as chance. */
export async function* cleanAnswers(
  ctx: Asked,
  audit: Audit,
  victimOf: (role: string) => Victim,
): Events<Map<string, Float32Array>> {
  const { labels, images, classNames } = audit;
  const clean = new Map<string, Float32Array>();
  for (const [place, { role, model }] of audit.models.entries()) {
    const victim = victimOf(role);
    const logits = new Float32Array(labels.length * model.classes);
    for await (const { from, to, rows } of untilAborted(answersInPieces(ctx, audit, victim, place === 0), ctx.signal)) {
      logits.set(rows, from * model.classes);
      const [step, totalSteps] = [place * labels.length + to, audit.models.length * labels.length];
      yield { type: 'progress', phase: 'answers without an attack', step, totalSteps, fraction: 0 };
    }
    ctx.signal.throwIfAborted();
    clean.set(role, logits);
    const right = argmaxRows(logits, model.classes).reduce((sum, answer, i) => sum + Number(answer === labels[i]), 0);
    const isChance = right <= (1.5 / model.classes) * labels.length;
    if (!isChance && right >= labels.length / 2) continue;
    const some = Math.min(200, labels.length);
    const meter = await sanityMeter(await images.rows(0, some), labels.subarray(0, some), model, (x) =>
      victim.logits(x),
    );
    const readings = meter.map(({ title, accuracy }) => `${title} ${(100 * accuracy).toFixed(1)} %`).join(', ');
    const message = `${model.title} answers ${right} of ${labels.length} images rightly${isChance ? ', which is no better than chance' : ''}. Right answers with pixels read ${readings}`;
    const hint = `The class order or the pre-processing is ${isChance ? 'probably' : 'possibly'} wrong: compare the readings, give mean and deviation with the model, or correct the labels.`;
    if (right === 0) throw new WorkbenchError('DATA_UNSUITABLE', message, { hint, details: { meter } });
    yield { type: 'log', level: 'warning', message: `${message}. ${hint}` };
  }
  const present = new Set(labels);
  if (present.size === 1) {
    const only = classNames[labels[0] ?? 0] ?? '';
    yield {
      type: 'log',
      level: 'warning',
      message: `All ${labels.length} images have the class ${only}: the figures hold for it alone, and measures from class means are left out.`,
    };
  }
  ctx.signal.throwIfAborted();
  return clean;
}

/** Logits of all images, a batch at a time; refuses pixels outside the bounds where `isFirst`. */
async function* answersInPieces(
  { params, signal }: Asked,
  { images, indices, dataTitle }: Audit,
  victim: Victim,
  isFirst: boolean,
): AsyncGenerator<{ from: number; to: number; rows: Float32Array }, void> {
  for await (const { from, to, images: some } of inPieces(images, victim.batchSize, signal)) {
    if (isFirst) checkPixels(some, indices.subarray(from, to), params, dataTitle);
    yield { from, to, rows: await victim.logits(some) };
  }
}
