import type { SessionOptions } from '../../runtime/session.ts';
import type { LookAhead } from '../context.ts';
import { unitsOf } from './attack-unit.ts';
import { openGivenGradient } from './gradient-file.ts';
import { localTraining, openInputs, victimOf } from './inputs.ts';
import { preflight, refuseUnsuitable } from './preflight.ts';
import { laneCount } from './prepare.ts';
import { defencesOf, publicFigures } from './settings.ts';
import { openSharing } from './sharing.ts';
import type { spec } from './spec.ts';

/** The look ahead of a run by itself; a network that the run would train first is looked at as it is before. */
export const lookAhead: LookAhead<typeof spec> = async (ctx) => {
  const { params } = ctx;
  const session: SessionOptions = { device: ctx.device, threads: ctx.threads };
  const inputs = await openInputs({ ...ctx, resume: undefined, scratch: '' });
  const victim = victimOf(inputs.model, params, 0);
  const defences = defencesOf(params.gradientFile === '' ? params : { ...params, defences: [] });
  refuseUnsuitable(victim, defences);
  const sharing = openSharing(victim, session, localTraining(params));
  try {
    const given = await openGivenGradient(victim, params, sharing, inputs);
    const own = given ? { ...params, batchSize: given.batchSize } : params;
    const figures = inputs.publics && publicFigures(inputs.publics, inputs.model.shape);
    const work = { params: own, inputs, sharing, figures, given: given?.shared, now: ctx.now };
    const lanes = laneCount(ctx, unitsOf(own, defences).length);
    const isFile = ctx.models['victim']?.kind === 'file';
    const found = await preflight(work, defences, isFile, session, Math.max(1, lanes));
    const before: [string, string][] =
      params.trainEpochs > 0 ? [['Measured', 'before the training that the run does first']] : [];
    return { facts: [...found.facts, ...before], checks: found.checks, likelyMs: found.likelyMs };
  } finally {
    await sharing.close();
  }
};
